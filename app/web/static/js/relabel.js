/* The relabel sheet: i, s and e choose what to correct, 1 to 9 the label. */
(() => {
  "use strict";
  const sheet = document.getElementById("relabel");
  if (!sheet) return;
  const tabs = [...sheet.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
  };
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tab = tabs.find((one) => one.dataset.role === event.key);
    if (tab) { event.preventDefault(); choose(tab); return; }
    const label = /^[1-9]$/.test(event.key) && sheet.querySelector(`.labels:not([hidden]) [data-digit="${event.key}"]`);
    if (label) { event.preventDefault(); label.click(); }
  });
})();
