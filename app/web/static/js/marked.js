/* The marked ticket of the inbox from the keyboard: o opens it, a takes it, other keys open it to do something. */
(() => {
  "use strict";
  const marked = () => document.querySelector(".row-ticket.is-here .row-subject a");
  const take = document.getElementById("take");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const link = marked();
    if (!link) return;
    if (event.key === "o") link.click();
    // These only bring the cursor to where something is done: opening an address never changes a ticket.
    if ("rnlmspt".includes(event.key)) location.assign(`${link.href}#do-${event.key}`);
    if (event.key === "a" && take) {
      take.action = take.dataset.action.replace("/0/", `/${link.pathname.match(/\d+$/)[0]}/`);
      take.requestSubmit();
    }
  });
})();
