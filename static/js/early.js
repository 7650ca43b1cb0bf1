"use strict";

// Not deferred. htmx only listens once the page has loaded, so earlier input is handled then.
{
  const early = new Set();
  const keep = (event) => early.add(event.target);
  const clicks = [];
  const keepClick = (event) => event.target.closest?.(".star-input") && clicks.push(event);
  document.addEventListener("input", keep, true);
  document.addEventListener("click", keepClick, true);
  document.addEventListener(
    "htmx:load",
    () => {
      document.removeEventListener("input", keep, true);
      document.removeEventListener("click", keepClick, true);
      for (const field of early) field.dispatchEvent(new Event("change", { bubbles: true }));
      for (const { target, clientX } of clicks) target.dispatchEvent(new MouseEvent("click", { bubbles: true, clientX }));
    },
    { once: true },
  );
}

// A page cached for "Back" may belong to another account or be outdated. It is hidden
// until this has been checked.
{
  const root = document.documentElement;
  const account = document.querySelector("meta[name=account]")?.content ?? "";
  const loaded = Date.now();
  const RECENTLY = 600_000; // ms; the age of a page from the disk cache is unknown
  const note = (name, value) => {
    try {
      localStorage[name] = value;
    } catch {} // storage is forbidden, so each page is reloaded
  };
  const isCurrent = (since) => {
    try {
      return localStorage.account === account && !(localStorage.changed > since);
    } catch {
      return false;
    }
  };
  const place = `place ${location.href}`;
  const renew = () => {
    root.style.visibility = "hidden";
    try {
      sessionStorage.renewed = place;
    } catch {}
    location.reload();
  };
  try {
    if (sessionStorage.renewed === place) document.addEventListener("DOMContentLoaded", () => scrollTo({ top: sessionStorage[place], behavior: "instant" }));
    delete sessionStorage.renewed;
    localStorage.changed ??= 0;
    document.cookie = `scripts=1; path=${document.currentScript.dataset.path}; samesite=lax`; // allows the server to make account pages cacheable
  } catch {}
  const isBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (isBack && !isCurrent(loaded - RECENTLY)) renew();
  else note("account", account);
  addEventListener("pagehide", (event) => {
    try {
      if (!sessionStorage.renewed) sessionStorage[place] = scrollY;
    } catch {}
    if (event.persisted) root.style.visibility = "hidden";
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    if (isCurrent(loaded)) root.style.visibility = "";
    else renew();
  });
  document.addEventListener("submit", (event) => event.target.method === "post" && note("changed", Date.now()));
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful && detail.requestConfig.verb !== "get") note("changed", Date.now());
  });
}
