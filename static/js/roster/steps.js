// A class or a day that is chosen is shown at once; the button beside is for browsers without scripts.

for (const field of document.querySelectorAll("[data-go]")) {
  field.addEventListener("change", () => field.value && field.form.requestSubmit());
}
