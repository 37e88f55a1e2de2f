// Light, dark, or as the device has it. A classic script in the head: the choice must be there before the first paint.
{
  const root = document.documentElement;
  root.classList.add("js");

  const show = (choice) => (choice ? (root.dataset.theme = choice) : delete root.dataset.theme);

  show(localStorage.getItem("theme"));

  document.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-theme-choice]")?.dataset.themeChoice;
    if (choice === undefined) return;
    if (choice) localStorage.setItem("theme", choice);
    else localStorage.removeItem("theme");
    show(choice);
  });

  // Another tab has chosen.
  window.addEventListener("storage", ({ key, newValue }) => key === "theme" && show(newValue));
}
