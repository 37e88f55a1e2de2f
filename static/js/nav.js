// Small manners of every page: menus close when one is done with them, messages can be put away, pages printed.

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target) || target.closest("a.menu-item, button.menu-item")) menu.open = false;
  target.closest("[data-dismiss]")?.parentElement.remove();
  if (target.closest("[data-print]")) window.print();
});

document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A chosen file is named where it was chosen.
document.addEventListener("change", ({ target }) => {
  const name = target.closest(".file-chooser")?.querySelector("[data-file-name]");
  if (name && target.files.length) name.textContent = [...target.files].map((file) => file.name).join(", ");
});

// A menu that would run off the page opens towards its middle.
document.addEventListener("toggle", ({ target }) => {
  const panel = target.open && target.matches("details.menu") && target.querySelector(":scope > .menu-panel");
  if (!panel) return;
  panel.classList.remove("is-turned");
  panel.classList.toggle("is-turned", panel.getBoundingClientRect().right > document.documentElement.clientWidth);
}, true);

// Who tabs out of a menu has left it.
document.addEventListener("focusin", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});
