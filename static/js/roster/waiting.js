// On every page: says how many classes wait for the network, sends them, and lets nobody who comes after see what was
// kept on this device.

import { person, told, waiting } from "./queue.js";
import { forgetPages } from "./pages.js";

const place = document.getElementById("waiting");

const classes = (items) => new Set(items.map(({ course, day, session }) => `${course} ${day} ${session}`)).size;
const words = (name, count) => place.dataset[count === 1 ? `${name}One` : `${name}Many`].replace("{count}", count);

async function show() {
  const [unsent, open] = await Promise.all([waiting(), told()]);
  place.hidden = !(unsent.length || open.length);
  if (place.hidden) return;
  place.textContent = unsent.length ? words("waiting", classes(unsent)) : words("open", classes(open));
  const { course, day, session } = (open[0] ?? unsent[0]);
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
