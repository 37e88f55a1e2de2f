// One pupil at a time, with number keys as large as a thumb; the next pupil by button or by swiping.

const SWIPE = 60;

export function pad(sheet, { commit, troubleOf, stateNow, facts }) {
  const dialog = document.getElementById("pad");
  const part = (name) => dialog.querySelector(name);
  const column = part("#pad-column");
  const mark = part(".pad-mark");
  let row = 0;
  let fresh = true; // The first key replaces what stood there.

  column.append(...sheet.heads.map((_, nth) => new Option(sheet.headOf(nth), nth)));
  const input = () => sheet.at(row, Number(column.value));

  function draw() {
    const cell = input();
    part("#pad-name").textContent = sheet.nameOf(row);
    part("[data-pad-count]").textContent = facts.words.of.replace("{row}", row + 1).replace("{rows}", sheet.rows.length);
    mark.textContent = cell.value || "–";
    mark.className = `pad-mark ${cell.parentElement.className}`;
    part("[data-pad-wrong]").textContent = troubleOf(cell.name) ?? (cell.readOnly ? cell.title : "");
    part("[data-pad-state]").textContent = stateNow();
  }

  function write(text) {
    if (input().readOnly) return;
    sheet.show(input(), text);
    fresh = false;
    draw();
  }

  function go(step) {
    commit(input());
    row = Math.max(0, Math.min(sheet.rows.length - 1, row + step));
    fresh = true;
    draw();
  }

  const acts = {
    next: () => go(1),
    previous: () => go(-1),
    erase: () => write(fresh ? "" : input().value.slice(0, -1)),
    excused: () => write(facts.excused),
    close: () => dialog.close(),
  };

  dialog.addEventListener("click", ({ target }) => {
    const { key, pad: act } = target.closest("button")?.dataset ?? {};
    if (key) write(fresh || key === "10" || input().value === facts.excused ? key : input().value + key);
    else acts[act]?.();
  });

  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("select")) return;
    if (/^[0-9.,]$/.test(event.key)) write(fresh ? event.key : input().value + event.key);
    else if (event.key === "Backspace") acts.erase();
    else if (event.key === "ArrowLeft") acts.previous();
    else if (event.key === "ArrowRight" || (event.key === "Enter" && !event.target.matches("button"))) acts.next();
    else return;
    event.preventDefault();
  });

  let leaving = 0;
  column.addEventListener("pointerdown", () => (leaving = Number(column.value)));
  column.addEventListener("change", () => {
    commit(sheet.at(row, leaving));
    leaving = Number(column.value);
    fresh = true;
    draw();
  });

  let from = null;
  dialog.addEventListener("touchstart", ({ touches }) => (from = [touches[0].clientX, touches[0].clientY]), { passive: true });
  dialog.addEventListener(
    "touchend",
    ({ changedTouches: [end] }) => {
      const [across, down] = from ? [end.clientX - from[0], end.clientY - from[1]] : [0, 0];
      from = null;
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) go(across < 0 ? 1 : -1);
    },
    { passive: true },
  );

  dialog.addEventListener("close", () => {
    commit(input());
    input().focus();
  });

  document.getElementById("one-by-one").addEventListener("click", () => {
    const chosen = sheet.table.querySelector("input[tabindex='0']");
    [row, column.value] = chosen ? sheet.placeOf(chosen) : [0, 0];
    leaving = Number(column.value);
    fresh = true;
    draw();
    dialog.showModal();
  });

  return { draw: () => dialog.open && draw() };
}
