// Shows the page behind a link with data-why in a dialog, on the page where the figure stands. Its own links go on
// inside it, and back; without this script, or in a new tab, the same address is a page.
//
//   <a href="/admin/gradebook/why/?…" data-why>7.85</a>

const dialog = document.createElement("dialog");
const heading = Object.assign(document.createElement("h2"), { id: "why-question" });
const content = document.createElement("div");
const trail = [];

function button(icon, label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn-icon", textContent: icon });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

const km = document.documentElement.lang === "km";
const back = button("←", km ? "ថយក្រោយ" : "Back", () => {
  trail.pop();
  show(trail.pop());
});
const head = Object.assign(document.createElement("div"), { className: "why-head" });
head.append(back, heading, button("✕", km ? "បិទ" : "Close", () => dialog.close()));
dialog.className = "why-dialog";
dialog.setAttribute("aria-labelledby", heading.id);
dialog.append(head, content);
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => trail.splice(0));

async function show(url) {
  dialog.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const why = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("why");
    if (!answer.ok || !why) throw new Error(answer.status);
    trail.push(url);
    heading.textContent = why.dataset.question;
    why.removeAttribute("id");
    content.replaceChildren(document.adoptNode(why));
    back.hidden = trail.length < 2;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  } catch {
    location.assign(url); // the page says what is wrong: no network, an ended session
  } finally {
    dialog.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-why]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!dialog.isConnected) document.body.append(dialog);
  event.preventDefault();
  show(link.href);
});
