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

/* What arrives is counted at the side and told in a bar; the list stays where its reader is until they ask for it. */
(() => {
  "use strict";
  const bar = document.querySelector(".news[data-live]");
  if (!bar) return;
  const known = new Set([...document.querySelectorAll(".row-ticket")].map((row) => row.dataset.id));
  let waiting = null;
  const look = async () => {
    waiting = null;
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = [...fresh.querySelectorAll(".row-ticket")].filter((row) => !known.has(row.dataset.id)).length;
    bar.hidden = !news;
    bar.querySelector("span").textContent = news === 1 ? bar.dataset.one : bar.dataset.many.replace("#", news);
    const side = document.querySelector(".queues > ul");
    // Counts change in place; who stands on a link there keeps it.
    if (side && !side.contains(document.activeElement)) side.replaceWith(document.importNode(fresh.querySelector(".queues > ul"), true));
  };
  const heard = () => { waiting ??= setTimeout(look, 2000); };
  bar.querySelector("button").addEventListener("click", () => location.reload());
  let last = null;
  const poll = async () => {
    const answer = await fetch(bar.dataset.poll + (last ? `&after=${last}` : "")).catch(() => null);
    if (!answer?.ok) return;
    const page = await answer.json();
    last = page.meta.after_cursor;
    if (page.data.length) heard();
  };
  const stream = new EventSource(bar.dataset.live);
  stream.addEventListener("ticket", heard);
  stream.addEventListener("reset", heard);
  // All seats of the live stream are taken, or it is cut off: asking now and then does as well.
  const ask = () => { poll(); setInterval(poll, 20000); };
  stream.addEventListener("taken", () => { stream.close(); ask(); });
  stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) ask(); });
})();
