"use strict";

// Names that the admin and its Select2 leave out, for people who listen to the page. In a block, since a function of the
// page is a property of its window, whose name the admin's pop-ups need.
{
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
    for (const head of document.querySelectorAll("thead th")) {
      if (!head.childElementCount && !head.textContent.trim()) head.innerHTML = '<span class="visually-hidden">#</span>';
    }
    for (const field of document.querySelectorAll("input:not([type=hidden], [type=submit], [type=button]), select, textarea")) {
      if (field.labels.length || field.hasAttribute("aria-label") || field.title) continue;
      const label = field.closest(".form-row, fieldset")?.querySelector("label, legend")?.textContent;
      name(field, field.closest("td") || !label ? field.name.replace(/^.*-\d+-/, "").replaceAll("_", " ") : label);
    }
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
}
