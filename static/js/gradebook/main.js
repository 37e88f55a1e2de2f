// The gradebook: what is typed goes into the queue, what the server answers goes back into the sheet.

import { clashes } from "./clash.js";
import { keyboard } from "./keyboard.js";
import { pasting } from "./paste.js";
import { pad } from "./phone.js";
import { Queue, post } from "./queue.js";
import { Sheet } from "./sheet.js";

performance.mark("gradebook:begin");
const byId = (id) => document.getElementById(id);

// ---- Which sheet ----------------------------------------------------------------------------------------------------

const chooser = document.querySelector(".sheet-chooser");
let queue = null;

chooser.addEventListener("change", async ({ target }) => {
  // One or the other: the subjects of a month, or the months of a subject.
  if (target.matches("[data-across]") && target.value) {
    for (const other of chooser.querySelectorAll("[data-across]")) if (other !== target) other.value = "";
  }
  await queue?.send();
  chooser.requestSubmit();
});

const table = byId("sheet");
if (table) open();

function open() {
  const facts = JSON.parse(byId("gradebook-facts").textContent);
  const { words, urls } = facts;
  const form = byId("sheet-form");
  const sheet = new Sheet(table, JSON.parse(form.elements.shown.value), facts.excused);
  queue = new Queue({ ...facts, url: urls.cells });
  form.elements.shown.remove(); // Only the plain form sends it.

  // ---- Typing -------------------------------------------------------------------------------------------------------

  /** What stands in a cell for its typist: the change that waits, or else what the server knows. */
  function latest(name) {
    const { text, comment } = sheet.known(name);
    const waiting = queue.typed(name);
    return waiting ? { typed: waiting.typed, comment: waiting.comment } : { typed: text, comment };
  }

  function put(name, { typed, comment, seen = queue.of(name)?.seen ?? sheet.known(name).seen, onlyIfEmpty }) {
    queue.put(name, { typed, comment, seen, onlyIfEmpty });
    const input = sheet.byName.get(name);
    if (!input) return;
    sheet.show(input, typed);
    sheet.look(input, comment);
    sheet.mark(input, "waiting");
    draw();
  }

  /** Take what was typed into a cell that is left. */
  function commit(input) {
    const was = latest(input.name);
    const typed = input.value.trim();
    if (typed === was.typed) return;
    put(input.name, { typed, comment: typed ? was.comment : "" });
  }

  /** Put back what stood in the cell before it was entered; in a refused cell, what is saved. */
  function restore(input, before) {
    if (input.value !== before) input.value = before;
    else if (queue.of(input.name)?.trouble) {
      queue.forget(input.name);
      settle(input.name, { anyway: true });
    }
    input.select();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true }); // prettier-ignore
  table.addEventListener("change", ({ target }) => target.matches("input") && commit(target));

  // ---- Answers ------------------------------------------------------------------------------------------------------

  const batches = [];

  queue.addEventListener("answer", ({ detail }) => {
    for (const { name, outcome, now } of detail.cells) {
      if (outcome === "saved" || outcome === "same") sheet.learn(name, now);
      settle(name);
    }
    if (detail.batch) batches.push(detail.batch);
    if (detail.at) savedAt = detail.at;
    if (detail.figures) sheet.reckon(detail.figures);
    draw();
  });

  /** Let a cell look as it now stands: saved, waiting or in trouble. What is being typed stays, unless `anyway`. */
  function settle(name, { anyway = false } = {}) {
    const input = sheet.byName.get(name);
    if (!input) return;
    const change = queue.of(name);
    const inHand = document.activeElement === input && input.value !== latest(name).typed;
    if (!change && (anyway || !inHand)) sheet.show(input, sheet.known(name).text);
    const trouble = change?.trouble;
    sheet.mark(input, trouble ? (trouble.outcome === "clash" ? "clash" : "wrong") : change ? "waiting" : "", trouble?.said);
    if (change) sheet.look(input, change.comment);
    if (document.activeElement === input) bar(input);
  }

  const say = (text) => (byId("save-said").textContent = text);
  const drawClashes = clashes(sheet, queue, { facts, settle, say });

  // ---- What is shown beside the sheet -------------------------------------------------------------------------------

  let savedAt = "";
  const status = byId("save-state");
  const undoButton = byId("undo");

  function stateNow() {
    const { waiting, state, troubles } = queue;
    const counted = (text, count) => text.replace("{count}", count);
    if (waiting && state === "session") return counted(words.session, waiting);
    if (waiting && state === "waiting") return counted(words.waiting, waiting);
    if (waiting) return words.saving;
    if (troubles.length) return counted(words.trouble, troubles.length);
    return savedAt && words.saved.replace("{at}", savedAt);
  }

  function draw() {
    drawClashes();
    const now = stateNow();
    if (status.textContent !== now) status.textContent = now;
    status.dataset.state = queue.waiting ? queue.state : queue.troubles.length ? "trouble" : "saved";
    undoButton.disabled = !batches.length;
    drawTroubles();
    drawElsewhere();
    onPhone.draw();
  }

  function drawTroubles() {
    const box = byId("troubles");
    const refused = queue.troubles.filter(({ trouble }) => trouble.outcome === "refused");
    if (box.dataset.shown === refused.map(({ key }) => key).join()) return;
    box.dataset.shown = refused.map(({ key }) => key).join();
    box.replaceChildren(
      ...refused.slice(0, 3).map(({ name, typed, trouble }) => {
        const input = sheet.byName.get(name);
        const line = Object.assign(document.createElement("button"), { type: "button", className: "trouble" });
        line.textContent = `${input ? sheet.whose(input) : name}: “${typed}” – ${trouble.said}`;
        line.addEventListener("click", () => input?.focus());
        return line;
      }),
    );
  }

  function drawElsewhere() {
    const others = queue.elsewhere();
    const box = byId("elsewhere");
    box.hidden = !others.length;
    if (!others.length) return;
    const [course, semester] = others[0].sheet.split("/");
    const [, , , period] = others[0].name.split(".");
    const link = Object.assign(document.createElement("a"), { textContent: words.open });
    link.href = `${location.pathname}?${new URLSearchParams({ course, semester, month: period.slice(0, 7) })}`;
    box.replaceChildren(`${words.elsewhere.replace("{count}", others.length)} `, link);
  }

  // ---- The chosen cell ----------------------------------------------------------------------------------------------

  const cellBar = byId("cell-bar");
  const comment = byId("cell-comment");
  const part = (name) => cellBar.querySelector(`[data-${name}]`);
  let chosen = null;

  function bar(input) {
    chosen = input;
    const { who, when } = sheet.known(input.name);
    part("where").textContent = sheet.whose(input);
    part("who").textContent = input.readOnly ? input.title : when ? words.by.replace("{who}", who).replace("{at}", when).replace(/^, /, "") : words.notYet;
    comment.value = latest(input.name).comment;
    comment.readOnly = input.readOnly;
  }

  table.addEventListener("focusin", ({ target }) => target.matches("input") && bar(target));
  comment.addEventListener("change", () => {
    if (!chosen) return;
    const typed = chosen.value.trim();
    if (comment.value.trim() !== latest(chosen.name).comment) put(chosen.name, { typed, comment: comment.value.trim() });
  });
  comment.addEventListener("keydown", (event) => {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") comment.value = latest(chosen.name).comment;
    chosen.focus(); // Leaving it is what takes it.
  });

  // ---- Undo ---------------------------------------------------------------------------------------------------------

  async function undo() {
    await queue.send();
    const batch = batches.pop();
    if (!batch) return draw();
    const answer = await post(urls.undo, { batch });
    if (answer?.status === 200) {
      sheet.renew(answer.cells, (name) => queue.of(name));
      sheet.reckon(answer.figures);
    } else batches.push(batch);
    if (answer?.status === 401) document.dispatchEvent(new Event("session:ask"));
    if (answer?.status === 409) batches.pop(); // It cannot be undone, now or later.
    say(answer?.said ?? answer?.error ?? words.noAnswer);
    draw();
    if (chosen) bar(chosen);
  }
  undoButton.addEventListener("click", undo);

  // ---- Keys, paste, phone -------------------------------------------------------------------------------------------

  const help = () => byId("keys").showModal();
  byId("help").addEventListener("click", help);
  keyboard(sheet, {
    commit,
    restore,
    undo,
    help,
    comment: () => comment.focus(),
    leave: () => byId("help").focus(),
  });
  pasting(sheet, queue, { facts, put });
  const onPhone = pad(sheet, { commit, facts, stateNow, troubleOf: (name) => queue.of(name)?.trouble?.said });

  // ---- Coming and going ---------------------------------------------------------------------------------------------

  /** Colleagues may have saved meanwhile. */
  async function renew() {
    try {
      const answer = await fetch(urls.cells, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return;
      const { cells, figures } = await answer.json();
      sheet.renew(cells, (name) => queue.of(name) || document.activeElement?.name === name);
      sheet.reckon(figures);
    } catch {
      // It is tried again when the page comes back the next time.
    }
  }
  document.addEventListener("visibilitychange", () => document.hidden || queue.waiting || renew());

  addEventListener("beforeunload", (event) => {
    if (document.activeElement?.form === form) commit(document.activeElement);
    if (queue.size) event.preventDefault();
  });

  // What a page before this one could not send.
  for (const { name, next, typed, comment: note } of queue.here()) {
    const input = sheet.byName.get(name);
    if (!input) continue;
    input.value = (next ?? { typed }).typed;
    sheet.look(input, (next ?? { comment: note }).comment);
    settle(name);
  }
  queue.addEventListener("state", draw);
  draw();
  queue.send();
  requestAnimationFrame(() => setTimeout(() => performance.measure("gradebook:drawn", { start: 0, end: performance.now() })));
}
