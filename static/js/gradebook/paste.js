// A block from Excel, or one mark for all empty cells of a column: first it is shown what would change, then applied.

import { post } from "./queue.js";

export function pasting(sheet, queue, { facts, put }) {
  const strip = document.getElementById("strip");
  const { words, urls, course, semester } = facts;
  let back = null;

  const isBlock = (copied) => /[\t\n]/.test(copied.replace(/\r?\n$/, ""));

  sheet.table.addEventListener("paste", (event) => {
    const copied = event.clipboardData.getData("text/plain");
    const input = event.target.closest("input");
    if (!input || !isBlock(copied)) return;
    event.preventDefault();
    const [row, column] = sheet.placeOf(input);
    const pupils = sheet.rows.slice(row).map(([first]) => sheet.pupilOf(first));
    const columns = sheet.rows[0].slice(column).map((_, nth) => sheet.target(column + nth));
    ask(input, { copied, pupils, columns });
  });

  async function ask(from, sent) {
    back = from;
    await queue.send(); // What waits is compared as it will be, not as it was.
    const answer = await post(urls.preview, { course, semester, ...sent });
    if (answer?.status === 401) document.dispatchEvent(new Event("session:ask"));
    if (answer?.status !== 200) return show(answer?.error ?? words.noAnswer, [], []);
    show(answer.cells.length ? answer.said : `${words.nothing} ${answer.said}`, answer.notes, answer.cells);
  }

  function show(said, notes, cells) {
    const summary = Object.assign(document.createElement("p"), { id: "strip-said", textContent: said });
    const list = document.createElement("ul");
    list.append(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
    const buttons = Object.assign(document.createElement("div"), { className: "dialog-buttons" });
    const cancel = button(words.cancel, close);
    const apply = button(words.apply, () => take(cells));
    apply.classList.add("btn-primary");
    buttons.append(...(cells.length ? [apply, cancel] : [cancel]));
    strip.replaceChildren(summary, ...(notes.length ? [list] : []), buttons);
    strip.hidden = false;
    (cells.length ? apply : cancel).focus();
  }

  function button(text, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: text });
    made.setAttribute("aria-describedby", "strip-said");
    made.addEventListener("click", act);
    return made;
  }

  function take(cells) {
    for (const { name, typed, comment, seen, only_if_empty: onlyIfEmpty } of cells) put(name, { typed, comment, seen, onlyIfEmpty });
    queue.send();
    close();
  }

  function close() {
    strip.hidden = true;
    strip.replaceChildren();
    back?.focus();
  }

  strip.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });

  // ---- One mark for all empty cells of a column ----

  const dialog = document.getElementById("fill");
  const column = document.getElementById("fill-column");
  const value = document.getElementById("fill-value");
  column.append(...sheet.heads.map((_, nth) => new Option(sheet.headOf(nth), nth)));

  document.getElementById("set-empty").addEventListener("click", () => {
    back = sheet.table.querySelector("input[tabindex='0']");
    if (back) column.value = sheet.placeOf(back)[1];
    value.value = "";
    dialog.returnValue = "no";
    dialog.showModal();
    value.focus();
  });

  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return back?.focus();
    const empty = sheet.rows.map((row) => row[column.value]).filter((input) => !input.readOnly && !input.value.trim() && !queue.of(input.name));
    if (!empty.length) return show(words.fillNobody, [], []);
    const places = empty.map((input) => [sheet.pupilOf(input), ...sheet.target(Number(column.value))]);
    ask(empty[0], { value: value.value, places });
  });
}
