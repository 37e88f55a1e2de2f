// Light, dark, or as the device has it. A classic script in the head: the choice must be there before the first paint.

const root = document.documentElement;
root.classList.add("js");

function show(choice) {
  if (choice) root.dataset.theme = choice;
  else delete root.dataset.theme;
}

show(localStorage.getItem("theme"));

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-choice]");
  if (!button) return;
  const choice = button.dataset.themeChoice;
  if (choice) localStorage.setItem("theme", choice);
  else localStorage.removeItem("theme");
  show(choice);
});

// Another tab has chosen.
window.addEventListener("storage", (event) => event.key === "theme" && show(event.newValue));
