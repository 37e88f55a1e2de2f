// A form that is filled in: the cursor goes to the first error; leaving with unsaved changes asks.

const form = document.querySelector(".admin-form");

document.querySelector("[aria-invalid=true]")?.focus();

let changed = Boolean(form?.querySelector(".error-summary"));
form?.addEventListener("input", () => (changed = true));
form?.addEventListener("change", () => (changed = true));
// confirm.js stops a form to ask first; then nothing has been sent yet.
document.addEventListener("submit", (event) => event.defaultPrevented || (changed = false));
window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
