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
