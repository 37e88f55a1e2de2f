// The rosters that the service worker keeps for when the network is gone, named after the person they belong to.

/** Forget the kept rosters of everybody, or of everybody but one person. */
export async function forgetPages(butOf) {
  if (!globalThis.caches) return;
  const others = (await caches.keys()).filter((name) => name.startsWith("roster-") && !name.endsWith(`-of-${butOf}`));
  await Promise.all(others.map((name) => caches.delete(name)));
  if (butOf !== undefined) return;
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
}
