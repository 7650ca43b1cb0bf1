// Names that the admin and its Select2 leave out, for people who listen to the page.
function name(element, label) {
  if (element && label && !element.hasAttribute("data-named")) {
    element.setAttribute("data-named", "");
    element.removeAttribute("aria-labelledby");
    element.setAttribute("aria-label", label.trim());
  }
}

function mend() {
  const search = document.getElementById("searchbar");
  name(search, search?.closest("form").querySelector("[type=submit]").value);
  for (const head of document.querySelectorAll("th.original:empty")) head.innerHTML = '<span class="visually-hidden">#</span>';
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]")) icon.setAttribute("role", "img");
  for (const part of document.querySelectorAll(".select2-selection[role=combobox], .select2-selection__rendered[role=textbox]")) {
    const select = part.closest(".select2")?.previousElementSibling;
    name(part, document.querySelector(`label[for="${select?.id}"]`)?.textContent ?? select?.name);
  }
}

addEventListener("DOMContentLoaded", () => {
  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
});
