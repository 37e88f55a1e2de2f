// Asks before a form with data-confirm (on the form or on the button pressed) is sent, and names what will happen to.
//
//   data-confirm   the question; {name} stands for what the button is about
//   data-detail    a sentence below it
//   data-yes       the word on the button that does it

const dialog = document.getElementById("confirm");
const part = (name) => dialog.querySelector(`[data-confirm-${name}]`);
const NAMES_SHOWN = 5;

const CELLS_IN_A_NAME = 3; // a name alone does not tell namesakes apart

/** What a button or a tick box is about: named by itself, or by the first cells of its row. */
function nameOf(element) {
  if (element.dataset.name) return element.dataset.name;
  const cells = [...(element.closest("tr")?.querySelectorAll("th, [data-label]") ?? [])];
  return cells.map((cell) => cell.textContent.trim()).filter(Boolean).slice(0, CELLS_IN_A_NAME).join(" · ");
}

/** The rows a bulk act is about. */
function pickedNames(form) {
  return [...form.elements].filter((element) => element.name === "rowid" && element.checked).map(nameOf);
}

function listed(names) {
  const more = names.length - NAMES_SHOWN;
  const lines = more > 0 ? [...names.slice(0, NAMES_SHOWN), part("names").dataset.more.replace("{count}", more)] : names;
  return lines.map((line) => Object.assign(document.createElement("li"), { textContent: line }));
}

function ask(form, button) {
  const words = { ...form.dataset, ...button?.dataset };
  document.getElementById("confirm-question").textContent = words.confirm.replace("{name}", () => nameOf(button));
  part("detail").textContent = words.detail ?? "";
  part("yes").textContent = words.yes ?? part("yes").textContent;
  part("names").replaceChildren(...listed(pickedNames(form)));
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

const answered = new WeakSet();

document.addEventListener("submit", async (event) => {
  const { target: form, submitter: button } = event;
  if (answered.delete(form) || !("confirm" in { ...form.dataset, ...button?.dataset })) return;
  event.preventDefault();
  if (!(await ask(form, button))) return;
  answered.add(form);
  form.requestSubmit(button);
});
