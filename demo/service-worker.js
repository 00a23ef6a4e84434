// Service worker: keeps the files of the pages, so that they open offline. The build fills in their names. Models are
// kept when they are first loaded; requests to the hub and to other origins pass through.
const cacheName = 'heddle __VERSION__';
const pageFiles = __FILES__;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(pageFiles)));
});
self.addEventListener('activate', (event) => {
  const removeOthers = async () => {
    for (const name of await caches.keys())
      if (name.startsWith('heddle ') && name !== cacheName) await caches.delete(name);
  };
  event.waitUntil(removeOthers());
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const scope = new URL(self.registration.scope);
  const isOwn = url.origin === scope.origin && url.pathname.startsWith(scope.pathname);
  if (request.method !== 'GET' || !isOwn || url.pathname.startsWith(`${scope.pathname}hub/`)) return;
  event.respondWith(answer(request, url));
});

/** Pages come from the network if there is one; files with a hash in their name never change. */
async function answer(request, url) {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept && url.pathname.includes('/assets/')) return kept;
  try {
    const response = await fetch(request);
    if (response.ok && url.pathname.includes('/assets/')) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
