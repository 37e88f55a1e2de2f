// A form that is filled in: the cursor goes to the first error or question, and leaving with unsaved changes asks.

const form = document.querySelector(".admin-form");

// ---- Where to look first --------------------------------------------------------------------------------------------

/** The control of a field: of a look-up, Tom Select's box. */
const controlOf = (id) => document.getElementById(`${id}-ts-control`) ?? document.getElementById(id);

(document.querySelector("[data-focus]") ?? document.querySelector("[aria-invalid=true]"))?.focus();

document.querySelector(".error-summary")?.addEventListener("click", (event) => {
  const id = event.target.closest("a")?.hash.slice(1);
  if (!id) return;
  event.preventDefault();
  controlOf(id)?.focus();
});

// ---- Unsaved changes ------------------------------------------------------------------------------------------------

const NOT_TYPED = new Set(["csrf_token"]);
const written = () =>
  JSON.stringify([...new FormData(form)].filter(([name]) => !NOT_TYPED.has(name)).map(([name, value]) => [name, value.name ?? value]));

// What comes back with an error or a question is not saved either.
const before = form?.querySelector(".error-summary, .clash, .alike") ? null : form && written();
let leaving = false;
const isDirty = () => form !== null && !leaving && written() !== before;

// session.js and confirm.js stop a form to ask first; then nothing has been sent yet.
form?.addEventListener("submit", (event) => event.defaultPrevented || (leaving = true));
window.addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());
window.addEventListener("pageshow", ({ persisted }) => persisted && (leaving = false));

const dialog = document.getElementById("leave");

/** A link that leaves this page in this window. */
function leads(event, link) {
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || link.target || link.download;
  return !elsewhere && link.href.split("#")[0] !== location.href.split("#")[0];
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || !leads(event, link) || link.protocol === "tel:" || !isDirty()) return;
  event.preventDefault();
  dialog.returnValue = "stay";
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue !== "leave") return;
    leaving = true;
    location.assign(link.href);
  };
});

// ---- Whose version stays --------------------------------------------------------------------------------------------

document.addEventListener("click", ({ target }) => {
  const side = target.closest("[data-keep-all]")?.dataset.keepAll;
  if (side) form.querySelectorAll(`.clash [type=radio][value=${side}]`).forEach((choice) => (choice.checked = true));
});
