/**
 * Keeps the page and LiteRT's code, so that the page opens without a network.
 *
 * The network's answer comes first, so that a new version is taken up at once. The model's files
 * are not its concern: `model_store.js` keeps those.
 */
"use strict";

const CACHE = "keras-bahdanau-page";
// What the page has loaded before its first visit is under this worker's control.
const FIRST = ["./", "style.css", "page.js", "word_lines.js", "words.js", "icon.svg"];
const PATIENCE = 4000; // Milliseconds for a network that is there and does not answer.

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FIRST)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const scope = self.registration.scope;
  if (method !== "GET" || !url.startsWith(scope) || url.startsWith(`${scope}model/`)) return;
  event.respondWith(networkFirst(event));
});

async function networkFirst(event) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(event.request, { ignoreSearch: true });
  const waiting = new AbortController();
  const timer = setTimeout(() => kept && waiting.abort(), PATIENCE);
  try {
    const { signal } = waiting;
    const response = await fetch(event.request.url, { cache: "no-cache", signal });
    const tag = response.headers.get("ETag");
    if (response.ok && !(tag && tag === kept?.headers.get("ETag"))) {
      event.waitUntil(cache.put(event.request, response.clone()));
    }
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
