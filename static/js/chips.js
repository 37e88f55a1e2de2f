// Quick filters: once the list is drawn, how many rows each would leave. A count belongs to its link's name and says
// nothing by itself to a screen reader. The menu in which somebody chose one is open again on the next page. And a
// menu of records is filled when somebody is about to open it.

import { number as written } from "./digits.js";

const quick = document.querySelector("[data-counts]");
const OPEN = "quick-filter-menu";
let counts = {};

function show() {
  for (const place of quick.querySelectorAll("[data-count]")) {
    const { count: group, value } = place.dataset;
    const number = counts[group]?.[value];
    if (number === undefined) continue;
    place.textContent = written(number);
    place.parentElement.classList.toggle("is-none", number === 0);
  }
  // The counts moved the chips along: an open menu looks again where it stands (nav.js).
  for (const menu of quick.querySelectorAll(".quick-menu[open]")) menu.dispatchEvent(new Event("toggle"));
}

async function count() {
  const answer = await fetch(quick.dataset.counts, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  counts = await answer.json();
  show();
}

// The link leads to the same list with the menu open; what that page offers is taken out of it. Without an answer the
// link stays.
async function fill(menu, link) {
  link.removeAttribute("data-choices");
  const answer = await fetch(link.href).catch(() => null);
  if (!answer?.ok) {
    link.setAttribute("data-choices", "");
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const offered = page.querySelector(`[data-group="${CSS.escape(menu.dataset.group)}"] ul`);
  if (!offered) return;
  const is_here = document.activeElement === link;
  menu.querySelector("ul").replaceChildren(...offered.children);
  show();
  if (is_here) menu.querySelector("ul a").focus();
}

function about_to_open({ target }) {
  const menu = target.closest?.(".quick-menu");
  const link = menu?.querySelector("[data-choices]");
  if (link) fill(menu, link);
}

async function reopen() {
  const { group, href } = JSON.parse(sessionStorage.getItem(OPEN) ?? "{}");
  sessionStorage.removeItem(OPEN);
  const menu = group && href === location.href && quick.querySelector(`[data-group="${CSS.escape(group)}"]`);
  if (!menu) return;
  const link = menu.querySelector("[data-choices]");
  if (link) await fill(menu, link); // it opens with all that can be chosen, as it was left
  menu.open = true;
  menu.querySelector("summary").focus();
}

if (quick) {
  count().catch(() => {}); // without a network the list is as good as before
  reopen();
  quick.addEventListener("pointerover", about_to_open);
  quick.addEventListener("toggle", about_to_open, true);
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
