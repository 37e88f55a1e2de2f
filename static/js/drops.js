// Enrolling and dropping: a filter asks at once, and a changed day shows at once what the act would do.
// Without this script the buttons “Show” and “Show what this does” do the same.

for (const select of document.querySelectorAll("select[data-asks]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const all of document.querySelectorAll("[data-pick-all]")) {
  const boxes = () => all.form.querySelectorAll("input[type=checkbox][name=student]");
  all.addEventListener("change", () => boxes().forEach((box) => (box.checked = all.checked)));
}

const form = document.querySelector("form.act");
let asked = 0;

/** Ask the server what the act would do now, and put that in the place of what was shown. */
async function look({ target }) {
  if (!target.matches("[data-looks]") || !target.checkValidity()) return;
  const mine = ++asked;
  const typed = new FormData(form);
  typed.set("look", "1");
  const button = form.querySelector("button[name=look]");
  const response = await fetch(form.action, { method: "POST", body: typed }).catch(() => null);
  if (mine !== asked) return;
  const page = response?.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
  const fresh = page?.querySelector("form.act");
  const trouble = ".is-invalid, .alert";
  if (!fresh || page.querySelector(trouble) || document.querySelector(trouble)) return form.requestSubmit(button); // it is said there
  for (const part of form.querySelectorAll("[data-fresh]")) {
    if (!part.contains(target)) part.replaceChildren(...fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`).childNodes);
  }
}

form?.addEventListener("change", look);
