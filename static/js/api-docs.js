// Fixes Swagger UI's skipped heading levels, and content outside landmarks.
const LEVELS = { "h3.opblock-tag": 2, ".models h4": 2 };
const PARTS = { ".information-container": "About the API", ".scheme-container": "Authorization" };
new MutationObserver(() => {
  for (const [selector, level] of Object.entries(LEVELS)) {
    for (const heading of document.querySelectorAll(`${selector}:not([aria-level])`)) {
      heading.setAttribute("role", "heading");
      heading.setAttribute("aria-level", level);
    }
  }
  for (const [selector, label] of Object.entries(PARTS)) {
    for (const part of document.querySelectorAll(`${selector}:not([aria-label])`)) {
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", label);
    }
  }
}).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
