// Going through the sheet without a mouse. A cell is chosen first: typing replaces what stands there, the arrows go
// on. F2, or a second click, opens it to change a part; then left and right move inside the text.

const PAGE = 10;
const FAR = 100_000;

export function keyboard(sheet, { commit, restore, comment, undo, help, leave }) {
  const { table } = sheet;
  let editing = null;
  let before = "";
  let began = null; // the column in which Tab was pressed first

  function go(input, down, right) {
    const [row, column] = sheet.placeOf(input);
    const [rows, columns] = sheet.size;
    const [toRow, toColumn] = [Math.max(0, Math.min(rows - 1, row + down)), Math.max(0, Math.min(columns - 1, column + right))];
    if (right === 1 && column === columns - 1) return commit(input), input.closest("tr").querySelector("a:not([hidden])")?.focus();
    if (toRow === row && toColumn === column) return commit(input);
    sheet.focus(toRow, toColumn);
  }

  /** To the neighbour in the row; false at its end, where Tab leaves the sheet. */
  function along(input, step) {
    const [row, column] = sheet.placeOf(input);
    const next = sheet.at(row, column + step);
    if (!next) return false;
    const begun = began ?? column;
    next.focus();
    began = begun;
    return true;
  }

  /** Down or up; who came along by Tab goes on below where that began, as in a spreadsheet. */
  function down(input, step) {
    const [row, column] = sheet.placeOf(input);
    const to = began ?? column;
    if (sheet.at(row + step, to)) sheet.focus(row + step, to);
    else commit(input);
  }

  const moves = {
    ArrowUp: () => [-1, 0],
    ArrowDown: () => [1, 0],
    ArrowLeft: () => editing || [0, -1],
    ArrowRight: () => editing || [0, 1],
    PageUp: () => [-PAGE, 0],
    PageDown: () => [PAGE, 0],
    Home: ({ ctrlKey }) => editing || [ctrlKey ? -FAR : 0, -FAR],
    End: ({ ctrlKey }) => editing || [ctrlKey ? FAR : 0, FAR],
  };

  const acts = {
    Tab: (input, { shiftKey }) => along(input, shiftKey ? -1 : 1),
    Enter: (input, { shiftKey }) => down(input, shiftKey ? -1 : 1),
    F2: (input, { shiftKey }) => (shiftKey ? comment(input) : edit(input)),
    Escape: (input) => {
      editing = null;
      restore(input, before);
    },
    F6: (input) => leave(input),
    "?": () => help(),
    z: (input, { ctrlKey, metaKey }) => (ctrlKey || metaKey) && input.value === before && undo(),
  };

  function edit(input) {
    editing = input;
    input.setSelectionRange(input.value.length, input.value.length);
  }

  // The figures stand beyond the last cell: Enter on one tells how it came about.
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  table.addEventListener("keydown", (event) => {
    const row = event.target.closest("a")?.closest("tr");
    if (!row || !(event.key in steps)) return;
    const stops = [...row.querySelectorAll("input:not([disabled]), a:not([hidden])")];
    stops[stops.indexOf(event.target) + steps[event.key]]?.focus();
    event.preventDefault();
  });

  table.addEventListener("keydown", (event) => {
    const input = event.target.closest("input");
    if (!input || event.isComposing || event.altKey) return;
    const move = moves[event.key]?.(event);
    if (Array.isArray(move)) {
      event.preventDefault();
      go(input, ...move);
    } else if (acts[event.key]) {
      if (acts[event.key](input, event) !== false) event.preventDefault();
    }
  });

  table.addEventListener("focusin", ({ target }) => {
    if (!target.matches("input")) return;
    table.querySelector("input[tabindex='0']")?.setAttribute("tabindex", "-1");
    target.tabIndex = 0;
    editing = began = null;
    before = target.value;
    target.select();
  });

  // The first click chooses a cell, as the arrows do; the next one puts the cursor into it.
  table.addEventListener("mousedown", (event) => {
    const input = event.target.closest("input") ?? event.target.closest("td")?.querySelector("input");
    if (!input) return;
    if (document.activeElement === input) editing = input;
    else {
      event.preventDefault();
      input.focus();
    }
  });
}
