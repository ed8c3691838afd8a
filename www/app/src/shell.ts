// The page and all that it has loaded, kept for when there is no network and no server: with a service worker (public/sw.js)
// a reload shows the conversations then, too.
const cacheName = "chatwire-shell";

/** To be called once the client is there: what it is made of has been loaded by then. */
export async function keepShell(): Promise<void> {
  // Vite's own server gives modules that change.
  if (import.meta.env.DEV || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/sw.js");
    const page = await fetch("/");
    if (!page.ok) return;
    const before = await caches.match("/", { cacheName, ignoreVary: true });
    // Of another build: none of it is asked for any more.
    if (before && (await before.text()) !== (await page.clone().text())) await caches.delete(cacheName);
    const cache = await caches.open(cacheName);
    await cache.addAll(loaded());
    await cache.put("/", page);
  } catch {
    // It is a help only. A browser may refuse it, as in a private window.
  }
}

function loaded(): string[] {
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  return [...new Set(names)].filter((name) => name.startsWith(`${location.origin}/assets/`));
}
