/* Parts of a page that follow what happens: an event of the stream fetches the page again and puts its parts in place. */
(() => {
  "use strict";
  const script = document.currentScript;
  const parts = () => document.querySelectorAll("[data-live-part]");
  const state = document.querySelector("[data-live-state]");
  const WAIT_MS = 1500, LEAST_MS = 4000;
  let waiting = 0, last = 0, missed = false;
  const isBusy = (part) => part.contains(document.activeElement) || part.matches(":hover");
  const refresh = async () => {
    waiting = 0;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      missed = false;
      for (const part of parts()) {
        const fresh = page.getElementById(part.id);
        // What somebody points at or types in stays as it is; it follows when they are done.
        if (isBusy(part)) missed = true;
        else if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...document.adoptNode(fresh).childNodes);
      }
    } catch { missed = true; }
  };
  const soon = () => {
    if (!waiting) waiting = setTimeout(refresh, Math.max(WAIT_MS, last + LEAST_MS - Date.now()));
  };
  document.addEventListener("mouseout", () => { if (missed) soon(); });
  // The browser reconnects by itself and says with Last-Event-ID what it saw last, so nothing is missed.
  const SLOWLY_MS = 20000;
  let stream, asking = 0;
  const still = (isTaken) => {
    stream.close();
    if (state) state.hidden = true;
    // Another page of this reader has the seat, or others have all: asking now and then does as well.
    asking ||= setInterval(() => {
      if (document.hidden) return;
      soon();
      if (!isTaken && stream.readyState === EventSource.CLOSED) open();
    }, SLOWLY_MS);
  };
  const open = () => {
    stream = new EventSource(`/api/v1/stream?types=${script.dataset.live}`);
    for (const kind of [...script.dataset.live.split(","), "reset"]) stream.addEventListener(kind, soon);
    stream.addEventListener("open", () => {
      if (state) state.hidden = false;
      clearInterval(asking);
      asking = 0;
    });
    stream.addEventListener("taken", () => still(true));
    stream.addEventListener("error", () => {
      if (state) state.hidden = true;
      if (stream.readyState === EventSource.CLOSED) still(false);
    });
  };
  const again = () => { if (stream.readyState === EventSource.CLOSED) { open(); soon(); } };
  open();
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (shown) => { if (shown.persisted) again(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
})();
