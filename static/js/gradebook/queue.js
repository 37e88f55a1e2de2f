// What was typed and is not saved yet. Each change has a key of its own, so that one sent twice is written once; it is
// kept in the browser under the person's number, so that it outlives a reload and an ended session, and is sent in no
// other name.

import { newKey } from "../key.js";

const SOON = 250; // A cell is sent within a second of leaving it, together with those left meanwhile.
const FIRST_RETRY = 1_000;
const LONGEST_WAIT = 30_000;
const AT_ONCE = 2_000;

/** Ask the server; { status, ...answer }, or null if none came. */
export async function post(url, sent, { keepalive = false } = {}) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(sent), keepalive });
    return { ...(await answer.json()), status: answer.status };
  } catch {
    return null;
  }
}

export class Queue extends EventTarget {
  #changes = new Map();
  #sending = false;
  #timer;
  #failures = 0;
  #askedForSession = false;

  /** `url` takes the cells; the changes of this course and semester are this sheet's. */
  constructor({ user, course, semester, url }) {
    super();
    this.prefix = `fsms.marks.${user}/`;
    this.sheet = `${course}/${semester}`;
    this.url = url;
    this.state = "idle";
    this.#load();
    addEventListener("online", () => this.send());
    addEventListener("pagehide", () => this.#sendInPassing());
    document.addEventListener("visibilitychange", () => document.hidden && this.#sendInPassing());
    document.addEventListener("session:lives", () => this.#afterSignIn());
  }

  // ---- What is waiting ----

  /** The change that waits for a cell of this sheet. */
  of(name) {
    return this.#changes.get(`${this.sheet}/${name}`);
  }

  here() {
    return [...this.#changes.values()].filter((change) => change.sheet === this.sheet);
  }

  elsewhere() {
    return [...this.#changes.values()].filter((change) => change.sheet !== this.sheet && change.trouble);
  }

  get waiting() {
    return [...this.#changes.values()].filter((change) => !change.trouble).length;
  }

  get troubles() {
    return this.here().filter((change) => change.trouble);
  }

  get size() {
    return this.#changes.size;
  }

  /** What was typed last into a cell, where it is not saved yet. */
  typed(name) {
    const change = this.of(name);
    return change && (change.next ?? change);
  }

  put(name, { typed, comment, seen, onlyIfEmpty = false }) {
    const now = this.of(name);
    if (now?.sent && !now.trouble) {
      // The answer is on its way: what it says of the cell decides about the next change.
      now.next = { typed, comment };
      this.#keep(now);
    } else {
      this.#keep({ sheet: this.sheet, name, key: newKey(), typed, comment, seen, onlyIfEmpty });
    }
    this.#soon(SOON);
  }

  forget(name) {
    const change = this.of(name);
    if (change) this.#drop(change);
    this.#tell();
  }

  // ---- Sending ----

  /** Send what waits, all of a sheet in one request; resolves when nothing more can be done for now. */
  async send() {
    clearTimeout(this.#timer);
    if (this.#sending) return;
    const changes = this.#next();
    if (!changes.length) return this.#tell();
    this.#sending = true;
    this.#tell("saving");
    const answer = await post(this.url, this.#request(changes));
    this.#sending = false;
    this.#take(answer, changes);
    if (this.state === "idle" && this.#next().length) return this.send();
  }

  /** The page goes away: the browser may still carry the request out. */
  #sendInPassing() {
    const changes = this.#next();
    if (!changes.length || this.#sending) return;
    post(this.url, this.#request(changes), { keepalive: true }).then((answer) => this.#take(answer, changes));
  }

  #next() {
    const ready = [...this.#changes.values()].filter((change) => !change.trouble);
    const sheet = (ready.find((change) => change.sheet === this.sheet) ?? ready[0])?.sheet;
    return ready.filter((change) => change.sheet === sheet).slice(0, AT_ONCE);
  }

  #request(changes) {
    const [course, semester] = changes[0].sheet.split("/").map(Number);
    const cells = changes.map((change) => {
      const [, student, subject, period] = change.name.split(".");
      const { typed, comment, seen, key } = change;
      change.sent = true;
      this.#keep(change);
      return { student: Number(student), subject: Number(subject), period, typed, comment, seen, key, only_if_empty: change.onlyIfEmpty };
    });
    return { course, semester, cells };
  }

  #take(answer, changes) {
    if (answer?.status === 200) {
      this.#failures = 0;
      this.#askedForSession = false;
      for (const cell of answer.cells) this.#settle(cell);
      this.dispatchEvent(new CustomEvent("answer", { detail: answer }));
      this.#tell("idle");
    } else if (answer?.status === 401 || (answer?.status === 400 && !this.#askedForSession)) {
      // The session has ended, or began anew in another window and with another token.
      this.#askedForSession = true;
      this.#tell("session");
      document.dispatchEvent(new Event("session:ask"));
    } else if (answer === null || answer.status >= 500 || answer.status === 429) {
      this.#tell("waiting");
      this.#soon(Math.min(LONGEST_WAIT, FIRST_RETRY * 2 ** this.#failures++));
    } else {
      for (const change of changes) this.#refuse(change, { outcome: "refused", said: answer.error ?? String(answer.status) });
      this.dispatchEvent(new CustomEvent("answer", { detail: { cells: [] } }));
      this.#tell("idle");
    }
  }

  #settle({ name, key, outcome, said, now }) {
    const change = [...this.#changes.values()].find((each) => each.key === key);
    if (!change) return;
    const { next, seen } = change;
    if (outcome === "saved" || outcome === "same") {
      this.#drop(change);
      if (next) this.#keep({ ...change, ...next, next: undefined, sent: false, key: newKey(), seen: now[1], name });
    } else if (next) this.#keep({ ...change, ...next, next: undefined, sent: false, key: newKey(), seen });
    else this.#refuse(change, { outcome, said, now });
  }

  #refuse(change, trouble) {
    // Sent anew it is a new request: its first one was answered, and wrote nothing.
    this.#keep({ ...change, trouble, sent: false, key: newKey() });
  }

  #afterSignIn() {
    if (this.state === "session") this.send();
  }

  #soon(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(), milliseconds);
    this.#tell();
  }

  #tell(state = this.state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  // ---- Keeping ----

  #keep(change) {
    const id = `${change.sheet}/${change.name}`;
    this.#changes.set(id, change);
    try {
      localStorage.setItem(this.prefix + id, JSON.stringify(change));
    } catch {
      // Without a store the change lives as long as the page, which asks before it is left.
    }
  }

  #drop(change) {
    const id = `${change.sheet}/${change.name}`;
    this.#changes.delete(id);
    try {
      localStorage.removeItem(this.prefix + id);
    } catch {
      // As above.
    }
  }

  #load() {
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.prefix)) this.#changes.set(key.slice(this.prefix.length), JSON.parse(localStorage.getItem(key)));
      }
    } catch {
      // As above.
    }
  }
}
