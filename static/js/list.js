// A list: a click on a row opens it; ticked rows are counted and can be acted upon together.

const table = document.querySelector("table.list");
const bar = document.getElementById("actions");
const all = table?.querySelector("[data-pick-all]");
const boxes = () => [...table.querySelectorAll("input[name=rowid]")];

table?.addEventListener("click", (event) => {
  const row = event.target.closest("tbody tr");
  const selecting = String(getSelection()).length > 0;
  if (!row || selecting || event.target.closest("a, button, input, label, .pick")) return;
  const link = row.querySelector(".row-link");
  if (event.ctrlKey || event.metaKey) window.open(link?.href, "_blank", "noopener");
  else link?.click();
});

function count() {
  const picked = boxes().filter((box) => box.checked).length;
  all.checked = picked > 0 && picked === boxes().length;
  all.indeterminate = picked > 0 && !all.checked;
  bar.toggleAttribute("data-some", picked > 0);
  bar.querySelector("[data-count]").textContent = picked ? bar.dataset.selected.replace("{count}", picked) : "";
}

/** Shift and click ticks everything from the last box on. */
let last = null;
function tickRange(event) {
  const { target } = event;
  if (target.name !== "rowid") return;
  if (event.shiftKey && last) {
    const [from, to] = [boxes().indexOf(last), boxes().indexOf(target)].sort((a, b) => a - b);
    for (const box of boxes().slice(from, to + 1)) box.checked = target.checked;
    count();
  }
  last = target;
}

if (table && bar) {
  all.addEventListener("change", () => boxes().forEach((box) => (box.checked = all.checked)));
  table.addEventListener("click", tickRange);
  table.addEventListener("change", count);
  bar.addEventListener("reset", () => setTimeout(count));
  count(); // a browser going back remembers the ticks
}
