// Light, dark, or as the device has it. A classic script in the head: the choice must be there before the first paint.
{
  const root = document.documentElement;
  root.classList.add("js");

  const show = (choice) => (choice && choice !== "auto" ? (root.dataset.theme = choice) : delete root.dataset.theme);

  // What the account remembers comes with the page; the browser's own memory is for those it does not know.
  show(root.dataset.rememberedTheme ?? localStorage.getItem("theme"));

  document.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-theme-choice]")?.dataset.themeChoice;
    if (choice === undefined) return;
    localStorage.setItem("theme", choice);
    root.dataset.rememberedTheme = choice;
    show(choice);
    fetch(target.closest("[data-theme-url]").dataset.themeUrl, {
      method: "POST",
      headers: { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content },
      body: new URLSearchParams({ theme: choice }),
    });
  });

  // Another tab has chosen.
  window.addEventListener("storage", ({ key, newValue }) => key === "theme" && show(newValue));
}
