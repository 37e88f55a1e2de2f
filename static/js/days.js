// The calendar beside a field for a day. The browser's own, since people know it; but what it answers is written as
// the school writes days, dd/mm/yyyy, and not as the browser's language would.

import { arabic, asRead } from "./digits.js";

/** A day as browsers keep it, out of one as people write it; empty where it is none. */
export function iso(written) {
  const [, day, month, year] = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(arabic(written.trim())) ?? [];
  return year ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : "";
}

/** And back. */
export const written = (iso) => (iso ? asRead(iso.split("-").reverse().join("/")) : "");

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-pick-day]");
  if (!button) return;
  const field = button.parentElement.querySelector("input");
  const calendar = Object.assign(document.createElement("input"), { type: "date", tabIndex: -1, value: iso(field.value) });
  calendar.className = "day-calendar";
  calendar.ariaHidden = "true";
  button.parentElement.querySelector(".day-calendar")?.remove();
  button.after(calendar);
  calendar.addEventListener("change", () => {
    field.value = written(calendar.value);
    for (const event of ["input", "change"]) field.dispatchEvent(new Event(event, { bubbles: true }));
    field.focus();
  });
  calendar.showPicker();
});
