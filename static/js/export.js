// A list on its way to a file: the page tells how far it is, while the browser already saves.
//
// The export has a key in its address; under the same key the server answers how many rows have gone.

import { number } from "./digits.js";
import { newKey } from "./key.js";

const told = document.getElementById("export-progress");
const EVERY = 1000;
const QUIET = 700; // what is done by then needs no words

const wait = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

function say(words, rows) {
  told.hidden = false;
  told.querySelector("[data-words]").textContent = words.replace("{rows}", number(rows));
}

async function follow(key) {
  const address = told.dataset.url.replace("00000000-0000-0000-0000-000000000000", key);
  for (let misses = 0; misses < 5; await wait(EVERY)) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) {
      misses += 1;
      continue;
    }
    const { rows, ended, whole } = await answer.json();
    if (!ended) say(told.dataset.going, rows);
    else return say(whole ? told.dataset.done : told.dataset.brokeOff, rows);
  }
  told.hidden = true;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-export]");
  if (!link || !told) return;
  const key = newKey();
  const address = new URL(link.href);
  address.searchParams.set("key", key);
  event.preventDefault();
  link.closest("details")?.removeAttribute("open");
  location.assign(address); // answered by a file, so the page stays
  await wait(QUIET);
  await follow(key);
});

told?.querySelector("button").addEventListener("click", () => (told.hidden = true));
