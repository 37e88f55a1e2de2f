// Rows of a one-to-many relation in a form: “Add a row” copies the <template> and gives its fields the next number;
// a row not saved yet is simply taken out. Removing a saved row is a checkbox the server reads.

const ATTRIBUTES = ["name", "id", "for", "aria-describedby"];

const rowsOf = (rows) => [...rows.querySelectorAll(":scope > fieldset")];
const adderOf = (rows) => rows.querySelector(":scope > [data-add-row]");

function nextNumber(rows) {
  return Math.max(-1, ...rowsOf(rows).map((row) => Number(row.id.split("-").at(-1)))) + 1;
}

/** A relation that holds one, or a form that is long enough, offers no further row. */
function offer(rows) {
  adderOf(rows).hidden = rowsOf(rows).length >= Number(rows.dataset.most || Infinity);
}

function add(rows) {
  const row = rows.querySelector(":scope > template").content.cloneNode(true).firstElementChild;
  row.id = `${rows.id}-${nextNumber(rows)}`;
  for (const attribute of ATTRIBUTES) {
    for (const element of row.querySelectorAll(`[${attribute}]`)) {
      element.setAttribute(attribute, `${row.id}-${element.getAttribute(attribute)}`);
    }
  }
  adderOf(rows).before(row);
  offer(rows);
  row.dispatchEvent(new Event("row-added", { bubbles: true }));
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

document.addEventListener("click", ({ target }) => {
  const adder = target.closest("[data-add-row]");
  if (adder) add(adder.closest(".rows"));

  const row = target.closest("[data-remove-row]")?.closest(".row-form");
  if (!row) return;
  const rows = row.closest(".rows");
  row.dispatchEvent(new Event("change", { bubbles: true }));
  row.remove();
  offer(rows);
  adderOf(rows).focus();
});
