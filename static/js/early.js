"use strict";

// Not deferred: htmx listens once the whole page is there, and whoever chose or typed something before is heard then.
{
  const early = new Set();
  const keep = (event) => early.add(event.target);
  document.addEventListener("input", keep, true);
  document.addEventListener(
    "htmx:load",
    () => {
      document.removeEventListener("input", keep, true);
      for (const field of early) field.dispatchEvent(new Event("change", { bubbles: true }));
    },
    { once: true },
  );
}
