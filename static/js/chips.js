// Quick filters: once the list is drawn, how many rows each would leave. A count belongs to its link's name and says
// nothing by itself to a screen reader. And the menu in which somebody chose one is open again on the next page.

import { number as written } from "./digits.js";

const quick = document.querySelector("[data-counts]");
const OPEN = "quick-filter-menu";

function show(counts) {
  for (const place of quick.querySelectorAll("[data-count]")) {
    const { count: group, value } = place.dataset;
    const number = counts[group]?.[value];
    if (number === undefined) continue;
    place.textContent = written(number);
    place.parentElement.classList.toggle("is-none", number === 0);
  }
}

async function count() {
  const answer = await fetch(quick.dataset.counts, { headers: { Accept: "application/json" } });
  if (answer.ok) show(await answer.json());
}

function reopen() {
  const { group, href } = JSON.parse(sessionStorage.getItem(OPEN) ?? "{}");
  sessionStorage.removeItem(OPEN);
  const menu = group && href === location.href && quick.querySelector(`[data-group="${CSS.escape(group)}"]`);
  if (!menu) return;
  menu.open = true;
  menu.querySelector("summary").focus();
}

if (quick) {
  count().catch(() => {}); // without a network the list is as good as before
  reopen();
  quick.addEventListener("click", ({ target }) => {
    const [link, menu] = [target.closest("a"), target.closest(".quick-menu")];
    if (link && menu) sessionStorage.setItem(OPEN, JSON.stringify({ group: menu.dataset.group, href: link.href }));
  });
}

// The address keeps chosen columns as one argument.
document.getElementById("columns")?.addEventListener("formdata", ({ formData }) => {
  const chosen = formData.getAll("columns");
  formData.delete("columns");
  if (chosen.length) formData.set("columns", chosen.join(","));
});
