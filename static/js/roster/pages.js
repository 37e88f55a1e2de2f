// The rosters that the service worker keeps for when the network is gone, named after the person they belong to.

const PATIENCE = 1_000;

/** Forget the kept rosters of everybody, or of everybody but one person. */
export async function forgetPages(butOf) {
  if (!globalThis.caches) return;
  for (const registration of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    if (butOf !== undefined && new URL(worker?.scriptURL).searchParams.get("person") === String(butOf)) continue;
    // First the worker stops keeping: what it is just fetching would come after.
    if (worker) await stopped(worker);
    await registration.unregister();
  }
  const others = (await caches.keys()).filter((name) => name.startsWith("roster-") && !name.endsWith(`-of-${butOf}`));
  await Promise.all(others.map((name) => caches.delete(name)));
}

const stopped = (worker) =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    setTimeout(done, PATIENCE);
    worker.postMessage({ stop: true }, [port2]);
  });
