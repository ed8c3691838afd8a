// The page itself without a network: from what `src/shell.ts` has kept. All that is the backend's goes its own way.
const cacheName = "chatwire-shell";

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(newest(request));
  // Their names change with what is in them.
  else if (pathname.startsWith("/assets/")) event.respondWith(kept(request));
});

async function newest(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const page = await caches.match("/", { cacheName, ignoreVary: true });
    if (page) return page;
    throw error;
  }
}

async function kept(request) {
  // The backend varies what may be read by the origin that asks, and ours is always the same.
  return (await caches.match(request, { cacheName, ignoreVary: true })) ?? fetch(request);
}
