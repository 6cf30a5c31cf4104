/* Who else has this ticket open: asked every few seconds while the page is looked at; silence does no harm. */
(() => {
  "use strict";
  const place = document.getElementById("ticket");
  const told = document.getElementById("present");
  const box = document.getElementById("reply-body");
  const token = document.querySelector("meta[name=csrf-token]");
  if (!place || !told || !token) return;
  const EVERY_MS = 8000;
  let typedAt = -Infinity;
  box?.addEventListener("input", () => { typedAt = performance.now(); });
  const send = (fields) => fetch(place.dataset.presence, {
    method: "POST", keepalive: true, body: new URLSearchParams({ csrf_token: token.content, ...fields }),
  });
  const ask = async () => {
    if (document.hidden) return;
    try {
      const typing = performance.now() - typedAt < EVERY_MS ? "1" : "0";
      const answer = await send({ typing, version: place.dataset.version });
      if (!answer.ok) return;
      const { others, news } = await answer.json();
      const text = [others, news].filter(Boolean).join(" ");
      if (told.textContent.trim() !== text) told.textContent = text;
    } catch { /* The next one may get through. */ }
  };
  ask();
  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
  addEventListener("pagehide", () => { send({ left: "1" }).catch(() => {}); });
})();
