// Two people wrote into one cell: both marks are shown, and one is chosen. Nothing is lost, the log has both.

import { post } from "./queue.js";

export function clashes(sheet, queue, { facts, settle, say }) {
  const box = document.getElementById("clashes");
  const template = document.getElementById("clash-card");
  const shown = new Map();
  const { words, urls, course, semester } = facts;
  const named = (words, mark, none) => words.replace("{mark}", () => mark || none);

  function card(change) {
    const { now, said } = change.trouble;
    const input = sheet.byName.get(change.name);
    const made = template.content.firstElementChild.cloneNode(true);
    made.dataset.cell = change.name;
    made.querySelector("[data-whose]").textContent = input ? sheet.whose(input) : change.name;
    made.querySelector("[data-said]").textContent = said;
    const [theirs, mine] = ["theirs", "mine"].map((which) => made.querySelector(`[data-keep=${which}]`));
    theirs.textContent = named(words.takeTheirs, now[0], words.removed);
    mine.textContent = named(words.keepMine, change.typed, words.blank);
    theirs.addEventListener("click", () => takeTheirs(change));
    mine.addEventListener("click", () => keepMine(change));
    return made;
  }

  function keepMine({ name, typed, comment, trouble }) {
    queue.put(name, { typed, comment, seen: trouble.now[1] });
    settle(name);
  }

  async function takeTheirs({ name, typed, comment, trouble }) {
    const [, student, subject, period] = name.split(".");
    const cells = [{ student: Number(student), subject: Number(subject), period, typed, comment, seen: trouble.now[1] }];
    const answer = await post(urls.giveWay, { course, semester, cells });
    if (answer?.status !== 200) {
      if (answer?.status === 401) document.dispatchEvent(new Event("session:ask"));
      return say(answer?.error ?? words.noAnswer);
    }
    sheet.learn(name, trouble.now);
    queue.forget(name);
    settle(name, { anyway: true });
  }

  /** Show a card for each clash, and none for what is settled. */
  return function draw() {
    const open = new Map(queue.troubles.filter(({ trouble }) => trouble.outcome === "clash").map((change) => [change.name, change]));
    for (const [name, { key, element }] of shown) {
      if (open.get(name)?.key === key) continue;
      const hadFocus = element.contains(document.activeElement);
      element.remove();
      shown.delete(name);
      if (hadFocus && !open.has(name)) (box.querySelector("button") ?? sheet.byName.get(name))?.focus();
    }
    for (const [name, change] of open) {
      if (shown.has(name)) continue;
      const element = card(change);
      shown.set(name, { key: change.key, element });
      box.append(element);
      say(change.trouble.said);
    }
    box.hidden = shown.size === 0;
  };
}
