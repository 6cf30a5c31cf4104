/* Every page: menus close, selects submit, keys press what names them, `?` shows the sheet. */
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  });
  for (const hidden of document.querySelectorAll("[data-with-script]")) hidden.hidden = false;
  for (const shown of document.querySelectorAll("[data-without-script]")) shown.hidden = true;
  for (const offer of document.querySelectorAll("[data-left]")) {
    // The offer to call a reply back counts down, and ends with the sending.
    const end = performance.now() + Number(offer.dataset.left);
    const tick = setInterval(() => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (left > 0) { offer.querySelector(".seconds").textContent = `(${left})`; return; }
      clearInterval(tick);
      offer.querySelector("form").remove();
      offer.querySelector("span").textContent = offer.dataset.over;
    }, 250);
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submits]");
    if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get" || event.defaultPrevented) return;
    for (const input of form.elements) if (input.name && !input.value) input.disabled = true;
  });
  // A dialog that has just been closed keeps the focus until the next frame, and would swallow a key meant for the page.
  window.addEventListener("keydown", (event) => {
    if (!event.target.closest?.("dialog:not([open])")) return;
    event.stopImmediatePropagation();
    event.target.blur();
    if (!document.body.dispatchEvent(new KeyboardEvent(event.type, event))) event.preventDefault();
  }, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
    if (event.key === "?") { document.getElementById("keys")?.showModal(); return; }
    const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!pressed) return;
    event.preventDefault();
    if (pressed.matches("input, textarea, select")) pressed.focus();
    else if (pressed.matches("details")) pressed.open = !pressed.open;
    else pressed.click();
  });
})();
