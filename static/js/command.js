// The search box of every page: Ctrl+K or / opens it, the server answers while one types, arrows and Enter choose.
// Without this script the button is a link to a page that does the same.

const dialog = document.getElementById("command");
const input = dialog.querySelector("[role=combobox]");
const list = dialog.querySelector("[role=listbox]");
const status = dialog.querySelector("[data-command-status]");
const PAUSE = 80;

let chosen = null;
let asked = null;
let timer;

const options = () => [...list.querySelectorAll("[role=option]")];

// ---- Which answer is chosen -----------------------------------------------------------------------------------------

function choose(option) {
  chosen?.setAttribute("aria-selected", "false");
  chosen = option ?? null;
  chosen?.setAttribute("aria-selected", "true");
  chosen?.scrollIntoView({ block: "nearest" });
  if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  else input.removeAttribute("aria-activedescendant");
}

function step(by) {
  const all = options();
  if (all.length) choose(all[(all.indexOf(chosen) + by + all.length) % all.length]);
}

// ---- What the server answers ----------------------------------------------------------------------------------------

function tell(words) {
  status.textContent = words;
}

function show(answer, typed) {
  list.removeAttribute("aria-busy");
  list.innerHTML = answer;
  const all = options();
  input.setAttribute("aria-expanded", String(all.length > 0));
  choose(all[0]);
  if (!typed) tell("");
  else if (all.length === 1) tell(dialog.dataset.one);
  else tell(all.length ? dialog.dataset.many.replace("{count}", all.length) : dialog.dataset.none);
}

async function ask() {
  const typed = input.value.trim();
  asked?.abort();
  asked = new AbortController();
  list.setAttribute("aria-busy", "true");
  const url = new URL(dialog.dataset.url, location);
  url.searchParams.set("part", "1");
  url.searchParams.set("q", typed);
  try {
    const answer = await fetch(url, { signal: asked.signal, headers: { Accept: "text/html" } });
    if (answer.redirected || answer.status === 401) location.reload(); // the session has ended: its dialog takes over
    else if (answer.ok) show(await answer.text(), typed);
    else tell(dialog.dataset.lost);
  } catch (problem) {
    if (problem.name !== "AbortError") tell(dialog.dataset.lost);
  }
}

// ---- Opening and leaving --------------------------------------------------------------------------------------------

function open() {
  if (document.querySelector("dialog:modal")) return;
  dialog.showModal();
  input.select();
  ask();
}

/** Remember what was opened; the page changes without waiting for it. */
function remember({ dataset: { record } }) {
  if (!record) return;
  const token = document.querySelector("meta[name=csrf-token]").content;
  fetch(dialog.dataset.openedUrl, {
    method: "POST",
    keepalive: true,
    headers: { "X-CSRFToken": token },
    body: new URLSearchParams({ record }),
  }).catch(() => {});
}

const isTyping = ({ target }) => target.isContentEditable || target.closest("input, textarea, select, [role=grid]");

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey, metaKey, altKey } = event;
  const isCtrlK = key.toLowerCase() === "k" && (ctrlKey || metaKey) && !altKey;
  const isSlash = key === "/" && !ctrlKey && !metaKey && !altKey && !isTyping(event);
  if (!isCtrlK && !isSlash) return;
  event.preventDefault();
  if (dialog.open) dialog.close();
  else open();
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("[data-command]")) {
    event.preventDefault();
    open();
  } else if (event.target.closest("[data-command-close]") || event.target === dialog) dialog.close();
});

input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});

input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const all = options();
  const acts = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Home: () => choose(all[0]),
    End: () => choose(all.at(-1)),
    Enter: () => chosen?.click(),
  };
  if (!acts[event.key] || (event.key === "Enter" && !chosen)) return;
  event.preventDefault();
  acts[event.key]();
});

list.addEventListener("pointermove", ({ target }) => {
  const option = target.closest("[role=option]");
  if (option && option !== chosen) choose(option);
});
list.addEventListener("click", ({ target }) => {
  const option = target.closest("[role=option]");
  if (option) remember(option);
});

dialog.addEventListener("close", () => {
  asked?.abort();
  clearTimeout(timer);
});
