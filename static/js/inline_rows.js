// Rows of a one-to-many relation in a form: “Add a row” copies the <template> and gives its fields the next number;
// a row not saved yet is simply taken out. Removing a saved row is a checkbox the server reads.

const ATTRIBUTES = ["name", "id", "for", "aria-describedby"];

function nextNumber(rows) {
  const used = [...rows.querySelectorAll(":scope > fieldset")].map((row) => Number(row.id.split("-").at(-1)));
  return Math.max(-1, ...used) + 1;
}

function add(rows) {
  const row = rows.querySelector(":scope > template").content.cloneNode(true).firstElementChild;
  row.id = `${rows.dataset.prefix}-${nextNumber(rows)}`;
  for (const attribute of ATTRIBUTES) {
    for (const element of row.querySelectorAll(`[${attribute}]`)) {
      element.setAttribute(attribute, `${row.id}-${element.getAttribute(attribute)}`);
    }
  }
  rows.querySelector(":scope > [data-add-row]").before(row);
  row.dispatchEvent(new Event("row-added", { bubbles: true }));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

document.addEventListener("click", ({ target }) => {
  const adder = target.closest("[data-add-row]");
  if (adder) add(adder.closest(".rows"));

  const row = target.closest("[data-remove-row]")?.closest(".row-form");
  if (!row) return;
  row.closest(".rows").querySelector(":scope > [data-add-row]").focus();
  row.dispatchEvent(new Event("change", { bubbles: true }));
  row.remove();
});
