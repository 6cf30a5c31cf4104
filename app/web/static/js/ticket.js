/* One ticket: macros and drafts go into the reply box, explanations load in place. */
(() => {
  "use strict";
  const box = document.getElementById("reply-body");
  const chosen = document.getElementById("reply-macro");
  document.addEventListener("click", (event) => {
    const taker = event.target.closest("[data-insert]");
    if (!taker || !box) return;
    event.preventDefault();
    const text = document.getElementById(taker.dataset.insert).textContent;
    box.value = box.value.trim() ? `${box.value.trimEnd()}\n\n${text}` : text;
    if (chosen) chosen.value = taker.dataset.macro || "";
    box.focus();
    box.scrollIntoView({ block: "center" });
    const gap = box.value.search(/\{\{.*?\}\}/);
    if (gap >= 0) box.setSelectionRange(gap, gap + box.value.slice(gap).indexOf("}}") + 2);
  });
  for (const why of document.querySelectorAll("details.why[data-source]")) {
    why.addEventListener("toggle", async () => {
      const place = why.querySelector(".place");
      if (!why.open || place.dataset.loaded) return;
      place.dataset.loaded = "1";
      try {
        const answer = await fetch(why.dataset.source, { headers: { "X-Requested-With": "fetch" } });
        if (!answer.ok) throw new Error(String(answer.status));
        place.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
      } catch {
        delete place.dataset.loaded;
        place.textContent = why.dataset.failed;
      }
    });
  }
})();
