// A form that is filled in: the cursor goes to the first error, leaving with unsaved changes asks, and Khmer digits
// are as good as 0–9 in a number field, which a browser would otherwise refuse.

const form = document.querySelector(".admin-form");

document.querySelector("[aria-invalid=true]")?.focus();

let changed = Boolean(form?.querySelector(".error-summary"));
form?.addEventListener("input", () => (changed = true));
form?.addEventListener("change", () => (changed = true));
// confirm.js stops a form to ask first; then nothing has been sent yet.
document.addEventListener("submit", (event) => event.defaultPrevented || (changed = false));
window.addEventListener("beforeunload", (event) => changed && event.preventDefault());

document.addEventListener("beforeinput", (event) => {
  if (event.target.type !== "number" || !/[០-៩]/.test(event.data ?? "")) return;
  event.preventDefault();
  const digits = event.data.replace(/[០-៩]/g, (digit) => digit.charCodeAt(0) - 0x17e0);
  // The only way to type into a number field that keeps the cursor and “undo”.
  document.execCommand("insertText", false, digits);
});
