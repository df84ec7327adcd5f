// Keeps the site for visits without a network, and isolates its pages where the host sends no headers for it.
const cacheName = 'halforder-1'

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

const isolated = (response) => {
  if (response.type === 'opaque' || response.status === 0) return response
  const headers = new Headers(response.headers)
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp')
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}

const fetched = async (request) => {
  const response = await fetch(request)
  if (response.ok) {
    const cache = await caches.open(cacheName)
    await cache.put(request, response.clone())
  }
  return response
}

// files under assets/ never change under their name; of all others the newest is wanted
const answer = async (request) => {
  const known = () => caches.match(request, { ignoreSearch: request.mode === 'navigate' })
  if (new URL(request.url).pathname.includes('/assets/')) return (await known()) ?? fetched(request)
  try {
    return await fetched(request)
  } catch (error) {
    const response = await known()
    if (response === undefined) throw error
    return response
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return
  event.respondWith(answer(request).then(isolated))
})
