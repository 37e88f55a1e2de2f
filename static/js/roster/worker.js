// Keeps the rosters of one person open while the network is gone. Pages come from the network whenever it answers; the
// kept copy stands in for it, and for half a day at most. Who signs out, or another person signing in, takes it away.

const VERSION = 1;
const PERSON = new URL(self.location).searchParams.get("person");
const KEPT = `roster-${VERSION}-of-${PERSON}`;
const PATIENCE = 6_000;
const LONGEST = 12 * 60 * 60 * 1000;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("roster-") && name !== KEPT).map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.endsWith("/worker.js")) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (url.pathname.startsWith("/static/")) event.respondWith(asset(event));
});

/** The page from the network or, if that does not answer, as it was kept. */
async function page(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok && !answer.redirected) await keep(request.url, answer.clone());
    return answer;
  } catch (problem) {
    const copy = await keptPage(request.url);
    if (copy) return copy;
    throw problem;
  }
}

let isStopped = false;

async function keep(url, answer) {
  if (isStopped) return;
  const kept = await caches.open(KEPT);
  await kept.put(url, answer);
  if (isStopped) await caches.delete(KEPT);
}

async function keptPage(url) {
  if (isStopped) return undefined;
  const kept = await caches.open(KEPT);
  const copy = (await kept.match(url)) ?? (await kept.match(withoutSession(url)));
  const age = copy && Date.now() - Date.parse(copy.headers.get("Date"));
  return age < LONGEST ? copy : undefined;
}

/** The address of the class alone, which is that of today and of this hour. */
function withoutSession(url) {
  const { origin, pathname, searchParams } = new URL(url);
  return `${origin}${pathname}?course=${searchParams.get("course")}`;
}

/** Styles and scripts as they were kept; the newest are fetched behind the page's back. */
async function asset(event) {
  const copy = await caches.match(event.request);
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) await keep(event.request, answer.clone());
    return answer;
  });
  if (!copy) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  return copy;
}

// The page says what it is made of, and which other rosters its reader may need before the network is back; and that
// the reader leaves.
self.addEventListener("message", (event) => {
  if (event.data?.keep) event.waitUntil(start(event.data.keep));
  if (event.data?.stop) event.waitUntil(stop(event.ports[0]));
});

async function stop(port) {
  isStopped = true;
  await caches.delete(KEPT);
  port.postMessage("stopped");
}

/** The reader is here, perhaps again: a worker outlives the page that has told it to stop. */
function start(urls) {
  isStopped = false;
  return keepAll(urls);
}

async function keepAll(urls) {
  for (const url of urls) {
    if (isStopped) return;
    try {
      // Nobody asked for it: it keeps no session alive, and sets no cookie after somebody has signed out.
      const answer = await fetch(url, { headers: { Accept: "text/html,*/*", "X-Background": "1" } });
      if (answer.ok && !answer.redirected) await keep(url, answer);
    } catch {
      return;
    }
  }
}
