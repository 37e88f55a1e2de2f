// Rosters on their way to the server. What is saved is put down on the device first, and goes when the server has
// answered; so it outlives the network, the session and the page. Every roster bears a number by which the server knows
// one that arrives twice, and the person who filled it in: nobody else's session sends it.

import { newKey } from "../key.js";

const RETRY = 15_000;

const place = document.getElementById("waiting");
export const person = Number(place.dataset.person);

// ---- What is kept on the device -------------------------------------------------------------------------------------

const opened = new Promise((resolve, reject) => {
  const asked = indexedDB.open("fsms-roster", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("waiting", { keyPath: "number", autoIncrement: true });
    asked.result.createObjectStore("told", { keyPath: "key" });
  };
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

async function inStore(name, mode, act) {
  const transaction = (await opened).transaction(name, mode);
  const request = act(transaction.objectStore(name));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

const mine = (items) => items.filter((item) => item.person === person);

/** What waits to be sent, the oldest first. */
export const waiting = async () => mine(await inStore("waiting", "readonly", (store) => store.getAll()));

/** What was answered and somebody has to look at: a clash, or a refusal. */
export const told = async () => mine(await inStore("told", "readonly", (store) => store.getAll()));

export async function forget(key) {
  await inStore("told", "readwrite", (store) => store.delete(key));
  changed();
}

/** Keep a roster and send it: { course, name, day, session, marks }. */
export async function put(roster) {
  await inStore("waiting", "readwrite", (store) => store.add({ ...roster, key: newKey(), person }));
  changed();
  return send();
}

const changed = () => document.dispatchEvent(new Event("roster:queue"));

// ---- Sending --------------------------------------------------------------------------------------------------------

let timer;

function later() {
  clearTimeout(timer);
  timer = setTimeout(send, RETRY);
  return false;
}

/** The answer as { status, ...facts }; null if none came. */
async function ask(url, options = {}) {
  try {
    const answer = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers }, cache: "no-store" });
    return { ...(await answer.json()), status: answer.status };
  } catch {
    return null;
  }
}

/** Send what waits, one after another. False: something still waits. */
export function send() {
  clearTimeout(timer);
  return navigator.locks ? navigator.locks.request("fsms-roster", sendAll) : sendAll();
}

async function sendAll() {
  for (const item of await waiting()) {
    const session = await ask(place.dataset.stateUrl);
    if (session?.status !== 200) return later();
    if (session.user_id !== person || session.seconds_left <= 0) return signInFirst();
    const answer = await post(item, session.csrf_token);
    if (answer === null || answer.status >= 500 || [409, 429].includes(answer.status)) return later();
    if (answer.status === 401) return signInFirst();
    await finish(item, answer);
  }
  return true;
}

const post = (item, token) =>
  ask(place.dataset.saveUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(item),
  });

/** session.js asks for the password on the spot, and says when the session lives again. */
function signInFirst() {
  document.dispatchEvent(new Event("session:ask"));
  return false;
}

async function finish(item, answer) {
  if (answer.status !== 200 || answer.clashes.length || answer.outside) {
    await inStore("told", "readwrite", (store) => store.put({ ...item, answer }));
  }
  await inStore("waiting", "readwrite", (store) => store.delete(item.number));
  document.dispatchEvent(new CustomEvent("roster:told", { detail: { item, answer } }));
  changed();
}

document.addEventListener("session:lives", send);
window.addEventListener("online", send);
window.addEventListener("pageshow", send);
document.addEventListener("visibilitychange", () => document.hidden || send());
