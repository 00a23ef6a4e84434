// Service worker: caches the files of the pages, so that they open offline. The build inserts their names.
// Models are cached when they are first loaded; requests to the hub and to other origins are not handled.
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

/**
 * Answers from the network, offline from the cache; files with a hash in their name never change and come
 * from the cache.
 */
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
