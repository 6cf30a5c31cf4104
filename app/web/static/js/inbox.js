/* The inbox from the keyboard: j and k move, Enter opens. */
(() => {
  "use strict";
  const rows = [...document.querySelectorAll(".row-ticket")];
  let at = -1;
  const go = (index) => {
    if (!rows.length) return;
    rows[at]?.classList.remove("is-here");
    at = Math.max(0, Math.min(rows.length - 1, index));
    rows[at].classList.add("is-here");
    const link = rows[at].querySelector(".row-subject a");
    link.focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(".row-ticket");
    if (!row) return;
    rows[at]?.classList.remove("is-here");
    at = rows.indexOf(row);
    row.classList.add("is-here");
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "j") go(at + 1);
    if (event.key === "k") go(at - 1);
    if (event.key === "Enter" && at >= 0 && document.activeElement === document.body) rows[at].querySelector(".row-subject a").click();
  });
})();
