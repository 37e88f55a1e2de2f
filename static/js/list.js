// A list: a click on a row opens it; ticked rows are counted and can be acted upon together.

import { number } from "./digits.js";

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

const matching = bar?.querySelector("[data-pick-matching]");
const allThatMatch = bar?.elements.namedItem("all");

function count() {
  const picked = boxes().filter((box) => box.checked);
  all.checked = picked.length > 0 && picked.length === boxes().length;
  all.indeterminate = picked.length > 0 && !all.checked;
  if (!all.checked) allThatMatch.value = "";
  const isAll = allThatMatch.value === "1";
  if (matching) matching.hidden = !all.checked || isAll;
  bar.toggleAttribute("data-some", picked.length > 0);
  const words = isAll ? bar.dataset.allSelected : bar.dataset.selected.replace("{count}", number(picked.length));
  bar.querySelector("[data-count]").textContent = picked.length ? words : "";
  exportOf(isAll ? null : picked.map((box) => box.value));
}

/** The file of the ticked rows is that of a list kept to them; of all that match it is that of the list. */
function exportOf(ids) {
  const link = bar.querySelector("[data-export]");
  if (!link) return;
  const [path, here] = [link.href.split("?")[0], new URLSearchParams(location.search)];
  if (ids) here.set("flt99_rows", ids.join(","));
  link.href = `${path}?${here}`;
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
  matching?.addEventListener("click", () => {
    allThatMatch.value = "1";
    count();
  });
  bar.addEventListener("reset", () => setTimeout(() => ((allThatMatch.value = ""), count())));
  count(); // a browser going back remembers the ticks
}
