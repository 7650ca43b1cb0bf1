// The chosen crontab in words, below its choice.
{
  const select = document.getElementById("id_crontab"); // missing where staff may only view
  const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
  if (select) {
    const line = document.createElement("div");
    line.className = "help";
    select.closest(".form-row").append(line);
    const show = () => { line.textContent = words[select.value] ?? ""; };
    // jQuery's events: the admin's pop-ups send no others.
    django.jQuery(select).on("change", show);
    show();
    document.querySelector(".field-crontab_translation").hidden = true;
  }
}
