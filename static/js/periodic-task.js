// Shows a description of the selected crontab.
{
  const select = document.getElementById("id_crontab"); // missing if staff may only view
  const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
  if (select) {
    const line = document.createElement("div");
    line.className = "help";
    select.closest(".form-row").append(line);
    const show = () => { line.textContent = words[select.value] ?? ""; };
    // The admin's pop-ups only send jQuery events.
    django.jQuery(select).on("change", show);
    show();
    document.querySelector(".field-crontab_translation").hidden = true;
  }
}
