"use strict";

// What failed in the background is said on the page; without this a lost connection would look like success.
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

document.addEventListener("htmx:sendError", () => say("The site cannot be reached. Nothing was changed."));
document.addEventListener("htmx:responseError", (event) => {
  const expired = event.detail.xhr.status === 403;
  say(expired ? "This page has expired. Please reload it." : "That did not work. Please try again in a moment.");
});

// An open menu closes by a click elsewhere or Escape.
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

// Suggestions below the search: the arrow keys go through them, Escape puts them away.
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
    event.preventDefault(); // the first time what was written stays
    document.getElementById("suggestions").replaceChildren();
    input.focus();
  }
});

// "/" goes to the search, as on many sites; not while something is being written.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search?.querySelector("input").select();
  }
});

// The theme changes where it is chosen, and the server keeps it.
document.querySelector(".theme-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const theme = event.submitter.value;
  const data = new FormData(form, event.submitter);
  fetch(form.action, { method: "POST", body: data, redirect: "manual" }).catch(() => say("The site cannot be reached. Your choice was not kept."));
  document.documentElement.toggleAttribute("data-theme", theme !== "auto");
  if (theme !== "auto") document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
});
