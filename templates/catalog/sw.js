{% load static %}"use strict";
// Shows a page of its own where there is no connection. It keeps that page and what it is drawn with, nothing else: pages are
// personal, and lists change with every rating.
const OFFLINE = "{% url 'catalog:offline' %}";
const KEPT = [OFFLINE, "{% static 'css/site.css' %}", "{% static 'fonts/bricolage-grotesque-latin.woff2' %}", "{% static 'img/favicon.svg' %}"];
const CACHE = `offline ${KEPT.join(" ")}`;

self.addEventListener("install", (event) => {
  const requests = KEPT.map((address) => new Request(address, { credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = (names) => Promise.all(names.filter((name) => name.startsWith("offline ") && name !== CACHE).map((name) => caches.delete(name)));
  event.waitUntil(Promise.all([caches.keys().then(drop), self.registration.navigationPreload?.enable(), self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    const load = async () => (await event.preloadResponse) ?? fetch(request);
    event.respondWith(load().catch(() => caches.match(OFFLINE)));
  } else if (request.method === "GET" && KEPT.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});
