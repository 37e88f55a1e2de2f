// A session that ends must not take with it what somebody has typed. Before it ends a dialog asks; when it has ended,
// one signs in again on the spot; and a form is sent only when the server has said that the session still lives.

const warning = document.getElementById("session-warning");
const ended = document.getElementById("session-ended");
const offline = document.getElementById("session-offline");
const { stateUrl, extendUrl, loginUrl, logoutUrl, noAnswer } = ended.dataset;
const person = Number(ended.dataset.person);
const WARNING = Number(ended.dataset.warning) * 1000;
const RETRY = 15_000;
// Somebody who types is there: the server is told, but not at every key.
const SAY_SO_EVERY = 60_000;

let endsAt, timer, saidAt;

// ---- What the server says -------------------------------------------------------------------------------------------

const token = () => document.querySelector("meta[name=csrf-token]");

/** The answer as { ok, ...facts }; null if none came. */
async function ask(url, { method = "GET", csrf = token().content, sent } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrf };
  if (sent) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(url, { method, headers, body: sent && JSON.stringify(sent), cache: "no-store" });
    return { ok: answer.ok, ...(await answer.json()) };
  } catch {
    return null;
  }
}

function lookLater(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(1000, milliseconds));
}

/** Take in how long the session goes on, and the token that every form of this page must carry. */
function goOn({ seconds_left: seconds, csrf_token: fresh }, mayWarn = true) {
  endsAt = Date.now() + seconds * 1000;
  token().content = fresh;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = fresh;
  ended.close();
  if (seconds * 1000 > WARNING) {
    warning.close();
    lookLater(endsAt - WARNING - Date.now());
  } else if (mayWarn) warn();
  else lookLater(endsAt - Date.now()); // the longest session is over: nothing can be done but to say so then
  document.dispatchEvent(new Event("session:lives"));
}

/** Ask whether this person's session lives, and show what follows from it. Null: the server does not answer. */
async function look() {
  const now = await ask(stateUrl);
  if (!now?.ok) lookLater(RETRY);
  if (!now?.ok) return null;
  const lives = now.user_id === person && now.seconds_left > 0;
  if (lives) goOn(now);
  else signInHere();
  return lives;
}

// ---- Before it ends -------------------------------------------------------------------------------------------------

function warn() {
  clearTimeout(timer);
  if (!warning.open) warning.showModal();
  const left = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
  warning.querySelector("[data-time-left]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (left) timer = setTimeout(() => warning.open && warn(), 1000);
  else look();
}

async function stay() {
  saidAt = Date.now();
  const now = await ask(extendUrl, { method: "POST" });
  if (now?.ok) goOn(now, false);
  else look();
}

// Closed by its button or by Escape: somebody is there.
warning.addEventListener("close", () => endsAt - Date.now() <= WARNING && !ended.open && stay());

function somebodyIsThere() {
  if (!warning.open && !ended.open && Date.now() - saidAt > SAY_SO_EVERY) stay();
}

// ---- When it has ended ----------------------------------------------------------------------------------------------

const password = ended.querySelector("[type=password]");
const refusal = ended.querySelector("[data-refusal]");

function refuse(words) {
  refusal.textContent = words ?? "";
  refusal.hidden = !words;
}

function signInHere() {
  clearTimeout(timer);
  endsAt = 0;
  if (ended.open) return;
  refuse();
  ended.showModal();
  warning.close();
}

async function signIn() {
  // The token of the session that has ended opens nothing; the next one may be used to sign in.
  const now = await ask(stateUrl);
  const sent = { username: ended.querySelector("[autocomplete=username]").value, password: password.value };
  const answer = now && (await ask(loginUrl, { method: "POST", csrf: now.csrf_token, sent }));
  password.value = "";
  if (answer?.go_to) location.assign(answer.go_to);
  else if (answer?.ok) goOn(answer);
  else refuse(answer?.error ?? noAnswer);
  if (ended.open) password.focus();
  else sendWaiting();
}

ended.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
// What stands behind it is for those only who are signed in. A browser lets a second Escape close any dialog.
ended.addEventListener("cancel", (event) => event.preventDefault());
ended.addEventListener("close", () => endsAt || ended.showModal());

// ---- Before a form is sent ------------------------------------------------------------------------------------------

const cleared = new WeakSet();
let waiting = null;

function sendWaiting() {
  const [form, button] = waiting ?? [];
  waiting = null;
  if (!form) return;
  cleared.add(form);
  form.requestSubmit(button);
}

/** Whether the form takes entries to the server; signing out needs no session. */
function isSent(form, button) {
  const method = button?.getAttribute("formmethod") ?? form.getAttribute("method");
  return method?.toLowerCase() === "post" && form.getAttribute("action") !== logoutUrl;
}

// In the capture phase: the questions of confirm.js are asked of a session that lives.
document.addEventListener(
  "submit",
  async (event) => {
    const { target: form, submitter: button } = event;
    if (!isSent(form, button) || cleared.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Who clicks twice sends once.
    if (waiting) return;
    waiting = [form, button];
    const lives = await look();
    if (lives) sendWaiting();
    if (lives === null) {
      waiting = null;
      offline.showModal();
    }
  },
  { capture: true },
);

// ---- Start ----------------------------------------------------------------------------------------------------------

for (const act of ["input", "keydown", "pointerdown"]) document.addEventListener(act, somebodyIsThere, { passive: true });
// A script of the page was not let in: it waits for "session:lives", with the new token in its place.
document.addEventListener("session:ask", () => ended.open || look());
// A computer that slept, a page that comes back, a session begun anew in another window.
document.addEventListener("visibilitychange", () => document.hidden || look());
window.addEventListener("pageshow", ({ persisted }) => persisted && look());
saidAt = Date.now();
lookLater(Number(document.body.dataset.secondsLeft) * 1000 - WARNING);
