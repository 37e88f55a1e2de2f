// On every page: says how many classes wait for the network, sends them, and lets nobody who comes after see what was
// kept on this device.

import { person, told, waiting } from "./queue.js";
import { forgetPages } from "./pages.js";

const place = document.getElementById("waiting");

const [number, text] = [place.querySelector("b"), place.querySelector("span")];

const classes = (items) => new Set(items.map(({ course, day, session }) => `${course} ${day} ${session}`)).size;

function say(name, count) {
  const words = place.dataset[count === 1 ? `${name}One` : `${name}Many`].replace("{count}", count);
  number.textContent = count;
  text.textContent = words.replace(count, "").trim();
  place.setAttribute("aria-label", words);
}

async function show() {
  const [unsent, open] = await Promise.all([waiting(), told()]);
  place.hidden = !(unsent.length || open.length);
  if (place.hidden) return;
  if (unsent.length) say("waiting", classes(unsent));
  else say("open", classes(open));
  const { course, day, session } = unsent[0] ?? open[0];
  place.href = `${place.dataset.saveUrl}?${new URLSearchParams({ course, day, session })}`;
}

document.addEventListener("roster:queue", show);
show();

// ---- Nobody sees another's pages ------------------------------------------------------------------------------------

forgetPages(person);

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== place.dataset.logoutUrl) return;
    event.preventDefault();
    await forgetPages();
    form.submit();
  },
  { capture: true },
);
