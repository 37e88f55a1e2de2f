// The roster under the thumb: "all present", a tap for each exception, one save. What is chosen is hollow until the
// server has it. A save goes through the queue, with or without a network.

import "./steps.js";
import { forget, person, put, told, waiting } from "./queue.js";

const form = document.getElementById("roster");
const messages = document.getElementById("roster-messages");
const saying = document.getElementById("roster-said");
const words = document.getElementById("roster-words")?.dataset;
const HALVES = { AM: ["AM"], PM: ["PM"], FULL: ["AM", "PM"] };

// ---- A choice: a pupil's half of the day, or both halves at once ----------------------------------------------------

const choices = () => [...form.querySelectorAll(".choice")];
const studentOf = (choice) => Number(choice.closest(".pupil").dataset.student);
const halvesOf = (choice) => HALVES[choice.dataset.session];
const field = (student, half) => form.elements[`was-${student}-${half}`];
const shown = (student, half) => JSON.parse(field(student, half)?.value ?? "null");
const same = (one, other) => one?.status === other?.status && (one?.reason || null) === (other?.reason || null);

function seenIn(choice) {
  const status = choice.querySelector("input:checked")?.value;
  const reason = choice.querySelector(".reason input").value.trim();
  return status ? { status, reason: status === "Present" ? null : reason || null } : null;
}

function choose(choice, seen) {
  for (const radio of choice.querySelectorAll("[type=radio]")) radio.checked = radio.value === seen?.status;
  choice.querySelector(".reason input").value = seen?.reason ?? "";
}

/** The halves whose choice differs from what the roster shows. */
const unsaved = (choice) => {
  const now = seenIn(choice);
  return now ? halvesOf(choice).filter((half) => !same(now, shown(studentOf(choice), half))) : [];
};

const isDirty = () => choices().some((choice) => unsaved(choice).length);

// ---- What stands on the page ----------------------------------------------------------------------------------------

const count = document.getElementById("roster-count");
const everybody = form?.querySelector("[data-everybody]");

function draw() {
  const counts = { Present: 0, Absent: 0, Late: 0, Excused: 0, left: 0 };
  for (const choice of choices()) {
    const now = seenIn(choice);
    counts[now?.status ?? "left"] += 1;
    choice.toggleAttribute("data-unsaved", unsaved(choice).length > 0);
  }
  if (!count) return;
  const said = JSON.parse(count.dataset.words);
  count.replaceChildren(
    ...Object.entries(counts)
      .filter(([name, number]) => number || name === "Absent")
      .map(([name, number]) => {
        const part = Object.assign(document.createElement("span"), { textContent: `${said[name]} ` });
        part.dataset.status = name;
        part.append(Object.assign(document.createElement("b"), { textContent: number }));
        return part;
      }),
  );
  everybody.hidden = counts.left === 0;
  everybody.lastElementChild.textContent = counts.left === choices().length ? everybody.dataset.all : everybody.dataset.others;
}

/** Show what the server holds now: of each half, who took it, and of each pupil, what was seen. */
function showHeld({ seen, taken }) {
  for (const [half, said] of Object.entries(taken)) {
    const place = document.querySelector(`.taken[data-half="${half}"]`);
    place.toggleAttribute("data-taken", Boolean(said));
    const text = place.querySelector("[data-said]");
    text.textContent = said ?? text.dataset.hollow;
  }
  for (const choice of choices()) {
    const held = seen[studentOf(choice)] ?? {};
    for (const half of halvesOf(choice)) field(studentOf(choice), half).value = JSON.stringify(held[half] ?? null);
    for (const mark of choice.closest(".pupil").querySelectorAll(".half")) {
      mark.dataset.status = held[mark.dataset.half]?.status ?? "";
    }
    const whole = halvesOf(choice).every((half) => same(held[half], held[halvesOf(choice)[0]]));
    choice.dataset.saved = (whole && held[halvesOf(choice)[0]]?.status) || "";
    choice.removeAttribute("data-waiting");
  }
}

/** Show what waits on this device as if it were there already, and yet not. */
function showWaiting(items) {
  for (const { marks } of items.filter(isHere)) {
    for (const { student, half, status, reason } of marks) {
      const choice = choices().find((one) => studentOf(one) === student && halvesOf(one).includes(half));
      if (!choice) continue;
      field(student, half).value = JSON.stringify({ status, reason });
      choose(choice, { status, reason });
      choice.dataset.waiting = "";
    }
  }
}

const isHere = ({ course, day }) => course === Number(form.dataset.course) && day === form.dataset.day;

// ---- Messages -------------------------------------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter(Boolean));
  return made;
}

/** Say beside the button what has become of the save. */
function say(kind, text, ...more) {
  saying.replaceChildren(
    element("p", { className: `said is-${kind}` }, element("span", { textContent: text }), ...more.filter(Boolean)),
  );
}

const undo = (url) => url && element("a", { className: "btn btn-sm", href: url, textContent: words.undo });

function button(text, act) {
  const made = element("button", { className: "btn", type: "button", textContent: text });
  made.addEventListener("click", act);
  return made;
}

/** What two have seen differently: keep mine is saving again, with theirs in sight. */
function showClash(item, answer) {
  document.getElementById(`clash-${item.key}`)?.remove();
  const list = element("ul");
  const card = element("section", { className: "clash card", id: `clash-${item.key}` }, element("h2", { textContent: words.clash }), list);
  const settled = (line) => {
    line.remove();
    if (list.childElementCount) return;
    card.remove();
    forget(item.key);
  };
  for (const clash of answer.clashes) {
    const yours = words.mine.replace("{status}", JSON.parse(count.dataset.words)[clash.mine.status]);
    const line = element(
      "li",
      {},
      element("b", { textContent: clash.name }),
      element("span", { textContent: yours }),
      element("span", { textContent: clash.said }),
      button(words.keep, () => {
        const { student, half, mine, theirs } = clash;
        put({ ...here(), marks: [{ student, half, ...mine, before: theirs }] });
        settled(line);
      }),
      button(words.take, () => {
        const choice = choices().find((one) => studentOf(one) === clash.student && halvesOf(one).includes(clash.half));
        if (choice) choose(choice, clash.theirs);
        draw();
        settled(line);
      }),
    );
    list.append(line);
  }
  messages.append(card);
  card.scrollIntoView({ block: "center" });
}

function showRefused(item, why) {
  const said = words.lost.replace("{why}", why);
  const box = element("div", { className: "alert alert-danger" }, element("span", { textContent: said }));
  box.append(
    button(words.forget, () => {
      box.remove();
      forget(item.key);
    }),
  );
  messages.append(box);
  box.scrollIntoView({ block: "center" });
}

function showTold({ item, answer }) {
  if (answer.status !== 200) return showRefused(item, answer.error);
  if (answer.clashes.length) showClash(item, answer);
  if (answer.outside) showRefused(item, answer.outside);
}

// ---- Saving ---------------------------------------------------------------------------------------------------------

const here = () => ({
  course: Number(form.dataset.course),
  name: form.dataset.name,
  day: form.dataset.day,
  session: form.dataset.session,
});

async function save() {
  const marks = choices().flatMap((choice) =>
    unsaved(choice).map((half) => ({
      student: studentOf(choice),
      half,
      ...seenIn(choice),
      before: shown(studentOf(choice), half),
    })),
  );
  if (!marks.length) return;
  showWaiting([{ ...here(), marks }]);
  draw();
  say("info", words.sending);
  const sent = await put({ ...here(), marks });
  if (!sent && (await waiting()).some(isHere)) say("warning", words.waiting);
}

document.addEventListener("roster:told", async ({ detail }) => {
  if (!everybody || !isHere(detail.item)) return;
  if (detail.answer.status === 200) {
    showHeld(detail.answer);
    say("success", detail.answer.said, undo(detail.answer.undo));
  } else saying.replaceChildren();
  showTold(detail);
  showWaiting(await waiting());
  draw();
});

// ---- Start ----------------------------------------------------------------------------------------------------------

if (form && everybody) {
  everybody.addEventListener("click", (event) => {
    event.preventDefault();
    for (const choice of choices()) if (!seenIn(choice)) choose(choice, { status: "Present" });
    draw();
  });
  // Not `submit`: session.js would hold the form back while the network is gone, and here it need not be there.
  form.querySelector("[data-save]").addEventListener("click", (event) => {
    event.preventDefault();
    save();
  });
  form.addEventListener("input", () => {
    saying.replaceChildren();
    draw();
  });
  window.addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());
  // A browser that comes back to the page fills in what was chosen before; the server knows better.
  form.reset();
  draw();
  waiting().then((items) => {
    showWaiting(items);
    draw();
    if (items.some(isHere)) say("warning", words.waiting);
  });
  told().then((items) => items.filter(isHere).forEach((item) => showTold({ item, answer: item.answer })));
}

// ---- While the network is gone --------------------------------------------------------------------------------------

async function keepPages() {
  const worker = await navigator.serviceWorker.register(form.dataset.worker);
  await navigator.serviceWorker.ready;
  const made = performance.getEntriesByType("resource").map(({ name }) => name);
  const own = [...document.querySelectorAll("#course optgroup:first-of-type option")].slice(0, 8);
  const rosters = own.map(({ value }) => `${location.origin}${location.pathname}?course=${value}`);
  const assets = made.filter((url) => url.startsWith(`${location.origin}/static/`));
  worker.active?.postMessage({ keep: [...new Set([location.href, ...assets, ...rosters])] });
}

if (form && navigator.serviceWorker && person) keepPages().catch(() => {});
