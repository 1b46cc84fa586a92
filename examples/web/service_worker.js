/**
 * Caches the page and LiteRT's code, so that the page opens offline.
 *
 * Network first, so that a new version is used at once. The model's files are cached by
 * `model_store.js`.
 */
"use strict";

const CACHE = "keras-bahdanau-page";
// Precached: on a first visit the page loads these before this worker controls it.
const FIRST = ["./", "style.css", "page.js", "word_lines.js", "words.js", "icon.svg"];
const PATIENCE = 4000; // Milliseconds until a network that does not answer counts as offline.

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
