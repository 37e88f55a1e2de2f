// Whose guardian has this phone number? Where a family is known, a hint offers to take it over for another child: empty
// fields are filled, and nothing that was typed is written over.

const form = document.querySelector("form[data-family-url]");
const field = (name) => form.elements.namedItem(name);
const isGuardianPhone = (input) => /^guardians-\d+-phone$/.test(input.name ?? "");

function fill(name, value) {
  const input = field(name);
  if (!input) return;
  if (input.type === "checkbox") input.checked ||= value === true;
  else if (!input.value) input.value = value;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** The number of the row to write in: that of an empty one, or of a row which is added. */
function rowOf(rows, isFree) {
  const there = [...document.querySelectorAll(`#${rows} > fieldset`)].map((row) => row.id.split("-").at(-1));
  const free = there.find(isFree);
  if (free !== undefined) return free;
  document.querySelector(`#${rows} > [data-add-row]`).click();
  return document.querySelector(`#${rows} > fieldset:last-of-type`).id.split("-").at(-1);
}

const isEmptyRow = (number) => !["relation", "last_name", "first_name", "phone"].some((name) => field(`guardians-${number}-${name}`)?.value);

function takeOver(found, number) {
  for (const [name, value] of Object.entries(found.values)) fill(name, value);
  const typed = field(`guardians-${number}-phone`).value.replace(/\D/g, "").slice(-8);
  const same = found.guardians.findIndex((one) => one.phone.replace(/\D/g, "").endsWith(typed));
  found.guardians.forEach((guardian, place) => {
    const row = place === Math.max(0, same) ? number : rowOf("guardians", isEmptyRow);
    for (const [name, value] of Object.entries(guardian)) fill(`guardians-${row}-${name}`, value);
  });
  if (!found.family) return;
  const row = rowOf("family", () => true);
  for (const [name, value] of Object.entries(found.family)) fill(`family-${row}-${name}`, value);
}

function say(input, found) {
  const place = input.closest("fieldset");
  place.querySelector(".family-hint")?.remove();
  if (!found?.found) return;
  const hint = Object.assign(document.createElement("div"), { className: "family-hint", role: "status" });
  const words = Object.assign(document.createElement("p"), { textContent: found.sentence });
  const button = Object.assign(document.createElement("button"), { className: "btn btn-sm", type: "button", textContent: form.dataset.takeOver });
  button.addEventListener("click", () => {
    takeOver(found, input.name.split("-")[1]);
    button.remove();
    input.focus();
  });
  hint.append(words, button);
  place.querySelector(".row-fields").after(hint);
}

form.addEventListener("change", async ({ target, isTrusted }) => {
  if (!isTrusted || !isGuardianPhone(target)) return;
  const asked = target.value;
  const url = new URL(form.dataset.familyUrl, location);
  url.searchParams.set("phone", asked);
  const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (target.value === asked) say(target, answer?.ok ? await answer.json() : null);
});
