"use strict";

// Shows errors of background requests. Otherwise a lost connection would look like success.
function say(text) {
  let list = document.querySelector(".messages");
  if (!list) {
    list = document.createElement("ul");
    list.className = "messages";
    list.setAttribute("role", "status");
    document.getElementById("content").prepend(list);
  }
  const line = document.createElement("li");
  line.className = "error";
  line.textContent = text;
  list.replaceChildren(line);
  list.scrollIntoView({ block: "nearest" });
}

const texts = document.body.dataset; // in the reader's language
const sayUnreachable = () => say(texts.unreachable);
const sayRefused = (status) => say(status === 403 ? texts.expired : texts.failed);
document.addEventListener("htmx:sendError", sayUnreachable);
document.addEventListener("htmx:responseError", (event) => sayRefused(event.detail.xhr.status));

// Closes an open menu on a click elsewhere or Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Moves the focus to the first new movie after "More movies".
document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  if (detail.requestConfig?.elt.id === "more" && target.matches(".movie-grid")) target.querySelector("a").focus();
});

document.addEventListener("click", (event) => {
  const arrow = event.target.closest("[data-scroll]");
  const row = arrow?.closest("section").querySelector(".movie-row");
  row?.scrollBy({ left: arrow.dataset.scroll * row.clientWidth * 0.85 });
});

// Stars send one rating for one decision: a click, or Enter, Space or leaving after the keys. `defaultValue` is what is
// stored; the pointer and the arrow keys only show another value.
const slider = (event) => event.target.closest?.(".star-input")?.querySelector("input");
const valueAt = (input, x) => {
  const box = input.getBoundingClientRect();
  return Math.min(5, Math.max(0.5, Math.ceil(((x - box.left) / box.width) * 10) / 2));
};
function show(input, value) {
  input.value = value;
  input.setAttribute("aria-valuetext", `${input.valueAsNumber} / 5`);
}
function send(input) {
  clearTimeout(input.sending);
  if (input.valueAsNumber === 0) show(input, input.defaultValue);
  if (input.value === input.defaultValue) return;
  input.stored = input.defaultValue;
  input.defaultValue = input.value;
  input.form.requestSubmit();
}
document.addEventListener("pointermove", (event) => {
  const input = event.pointerType === "mouse" && slider(event);
  if (!input) return;
  show(input, valueAt(input, event.clientX));
  input.parentElement.onpointerleave = () => show(input, input.defaultValue);
});
document.addEventListener("click", (event) => {
  const input = slider(event);
  if (!input) return;
  show(input, valueAt(input, event.clientX));
  send(input);
});
document.addEventListener("keydown", (event) => {
  const input = slider(event);
  if (!input) return;
  input.keyed = true;
  if (event.key === "Escape") show(input, input.defaultValue);
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  send(input);
});
document.addEventListener("focusout", (event) => {
  const input = slider(event);
  if (!input) return;
  input.keyed = false;
  send(input);
});
document.addEventListener("change", (event) => {
  const input = slider(event);
  if (!input) return;
  show(input, input.value);
  clearTimeout(input.sending);
  if (!input.keyed) input.sending = setTimeout(send, 500, input); // by assistive technology, in steps
});
const rated = ({ detail }) => detail.elt.matches("form") && detail.elt.querySelector(".star-input input");
function takeBack(event) {
  const input = rated(event);
  if (input) show(input, (input.defaultValue = input.stored ?? input.defaultValue));
}
document.addEventListener("htmx:sendError", takeBack);
document.addEventListener("htmx:afterRequest", (event) => {
  const input = rated(event);
  if (event.detail.xhr.status >= 400) return takeBack(event);
  if (!input || !event.detail.successful) return;
  const { rating, remove } = event.detail.requestConfig.parameters;
  for (const same of document.querySelectorAll(".star-input input")) {
    if (same.form.action !== input.form.action) continue; // the same movie may have several cards
    same.defaultValue = remove ? 0 : rating;
    show(same, same.defaultValue);
    same.form.classList.toggle("is-rated", !remove);
  }
});

// Suggestions below the search field. The arrow keys select one, Escape closes them.
const search = document.querySelector(".site-search");
search?.addEventListener("keydown", (event) => {
  const input = search.querySelector("input");
  const stops = [input, ...search.querySelectorAll(".suggestions a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && stops.length > 1) {
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  }
  if (event.key === "Escape" && stops.length > 1) {
    event.preventDefault(); // the first Escape keeps the text
    document.getElementById("suggestions").replaceChildren();
    input.focus();
  }
});

// "/" focuses the search field, as on many sites, except while the user is typing.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search?.querySelector("input").select();
  }
});

// Changes the theme at once. The server stores it.
document.querySelector(".theme-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const theme = event.submitter.value;
  const data = new FormData(form, event.submitter);
  fetch(form.action, { method: "POST", body: data, redirect: "manual" })
    .then((answer) => answer.status >= 400 && sayRefused(answer.status))
    .catch(sayUnreachable);
  document.documentElement.toggleAttribute("data-theme", theme !== "auto");
  if (theme !== "auto") document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
});

// Registers the offline page. Nothing depends on it.
const register = () => navigator.serviceWorker?.register(new URL("sw.js", document.querySelector("link[rel=manifest]").href));
addEventListener("load", () => setTimeout(() => register()?.catch(() => {}), 3000)); // after more important requests
