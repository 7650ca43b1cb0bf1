"use strict";

// Not deferred: htmx listens once the whole page is there, and whoever chose or typed something before is heard then.
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

// A page that the browser kept for "Back" may be another account's, or older than what was changed since. It is hidden
// meanwhile, so that not even its picture is seen.
{
  const root = document.documentElement;
  const account = document.querySelector("meta[name=account]")?.content ?? "";
  const loaded = Date.now();
  const RECENTLY = 600_000; // ms; when a page from the disk was made is not known
  const note = (name, value) => {
    try {
      localStorage[name] = value;
    } catch {} // forbidden: then each page is asked for again
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
    document.cookie = `scripts=1; path=${document.currentScript.dataset.path}; samesite=lax`; // the server lets pages of an account be kept
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
