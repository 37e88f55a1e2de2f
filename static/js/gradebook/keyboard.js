// Going through the sheet without a mouse. A cell is chosen first: typing replaces what stands there, the arrows go
// on. F2, or a second click, opens it to change a part; then left and right move inside the text.

const PAGE = 10;
const FAR = 100_000;

export function keyboard(sheet, { commit, restore, comment, undo, help, leave }) {
  const { table } = sheet;
  let editing = null;
  let before = "";

  function go(input, down, right) {
    const [row, column] = sheet.placeOf(input);
    const [rows, columns] = sheet.size;
    const [toRow, toColumn] = [Math.max(0, Math.min(rows - 1, row + down)), Math.max(0, Math.min(columns - 1, column + right))];
    if (toRow === row && toColumn === column) return commit(input);
    sheet.focus(toRow, toColumn);
  }

  /** To the neighbour, at the end of a row to the next one; false where the sheet ends. */
  function along(input, step) {
    const [row, column] = sheet.placeOf(input);
    const [rows, columns] = sheet.size;
    const place = row * columns + column + step;
    if (place < 0 || place >= rows * columns) return false;
    sheet.focus(Math.floor(place / columns), place % columns);
    return true;
  }

  const moves = {
    ArrowUp: () => [-1, 0],
    ArrowDown: () => [1, 0],
    ArrowLeft: () => editing || [0, -1],
    ArrowRight: () => editing || [0, 1],
    Enter: ({ shiftKey }) => [shiftKey ? -1 : 1, 0],
    PageUp: () => [-PAGE, 0],
    PageDown: () => [PAGE, 0],
    Home: ({ ctrlKey }) => editing || [ctrlKey ? -FAR : 0, -FAR],
    End: ({ ctrlKey }) => editing || [ctrlKey ? FAR : 0, FAR],
  };

  const acts = {
    Tab: (input, { shiftKey }) => along(input, shiftKey ? -1 : 1),
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
    editing = null;
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
