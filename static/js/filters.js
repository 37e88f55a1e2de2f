// The “Add filter” menu: choose a column, a condition, a value. A filter travels as flt<number>_<argument>=<value>,
// a span as “from to to”, several values with commas between; so Flask-Admin wants it.

import { iso, written } from "./days.js";

const menu = document.getElementById("filter-menu");
const choices = menu && JSON.parse(document.getElementById("filter-choices").textContent);
const form = menu?.querySelector("form");
const [column, operation] = [form?.querySelector("#filter-column"), form?.querySelector("#filter-operation")];
const place = form?.querySelector(".filter-value");

const INPUT_TYPES = {
  timepicker: "time", timerangepicker: "time",
  datetimepicker: "datetime-local", datetimerangepicker: "datetime-local",
};

const chosen = () => choices[column.value][operation.selectedIndex];
const isSpan = ({ type }) => type?.endsWith("rangepicker") ?? false;
const isMany = ({ type }) => type === "select2-tags";

/** The value of a control as the server reads it: a time with seconds, a date and a time with a space between. */
function sent(control) {
  if (control.dataset.day !== undefined) return iso(control.value) || control.value;
  if (control.multiple) return [...control.selectedOptions].map((option) => option.value).join(",");
  if (["time", "datetime-local"].includes(control.type)) {
    return control.value.replace("T", " ") + (control.value.split(":").length === 2 ? ":00" : "");
  }
  return control.value;
}

/** A day is written as everywhere else, whatever language the browser has. */
function asDay(control) {
  Object.assign(control, { inputMode: "numeric", autocomplete: "off", placeholder: form.dataset.day });
  control.value = written(control.value);
  control.dataset.day = "";
}

function drawn(filter, value, label) {
  const control = document.createElement(filter.options ? "select" : "input");
  if (filter.options) {
    control.multiple = isMany(filter);
    control.append(...filter.options.map(([key, text]) => new Option(text, key)));
    const wanted = isMany(filter) ? value.split(",") : [value];
    for (const option of control.options) option.selected = wanted.includes(option.value);
    if (!value) control.selectedIndex = 0;
  } else {
    control.type = INPUT_TYPES[filter.type] ?? "text";
    control.value = control.type === "datetime-local" ? value.replace(" ", "T") : value;
    if (/^date(range)?picker$/.test(filter.type)) asDay(control);
    if (filter.type === "number") control.inputMode = "decimal"; // not a number input: Khmer digits are welcome
    if (isMany(filter)) control.title = form.dataset.commas;
  }
  control.className = filter.options ? "form-select" : "form-control";
  control.required = true;
  if (label) control.setAttribute("aria-label", label);
  return control;
}

function drawValue(value = "") {
  const filter = chosen();
  const [from, to] = isSpan(filter) ? value.split(" to ") : [value];
  const controls = isSpan(filter)
    ? [drawn(filter, from, form.dataset.from), drawn(filter, to ?? "", form.dataset.to)]
    : [drawn(filter, from)];
  controls[0].id = "filter-value";
  place.replaceChildren(...controls);
}

function drawOperations() {
  operation.replaceChildren(...choices[column.value].map((filter) => new Option(filter.operation)));
  drawValue();
}

/** Open the menu with a filter that is in use; applying replaces it. */
function change({ argument, column: name, value }) {
  form.dataset.replaces = argument;
  column.value = name;
  drawOperations();
  const [, arg] = /^flt\d+_(.*)/.exec(argument);
  operation.selectedIndex = choices[name].findIndex((filter) => filter.arg === arg);
  drawValue(value);
  menu.open = true;
  place.firstChild.focus();
}

if (menu) {
  drawOperations();
  column.addEventListener("change", drawOperations);
  operation.addEventListener("change", () => drawValue());
  menu.addEventListener("toggle", () => !menu.open && delete form.dataset.replaces);

  form.addEventListener("formdata", ({ formData }) => {
    const used = [...formData.keys()].filter((name) => name.startsWith("flt"));
    const next = Math.max(-1, ...used.map((name) => parseInt(name.slice(3)))) + 1;
    const name = form.dataset.replaces ? form.dataset.replaces.split("_")[0] : `flt${next}`;
    if (form.dataset.replaces) formData.delete(form.dataset.replaces);
    formData.append(`${name}_${chosen().arg}`, [...place.children].map(sent).join(" to "));
  });

  document.addEventListener("click", ({ target }) => {
    const chip = target.closest(".chip button");
    // The click which would close an open menu comes first.
    if (chip) setTimeout(() => change(chip.dataset));
  });
}
