/* One ticket: macros and drafts go into the reply box, explanations load in place. */
(() => {
  "use strict";
  const box = document.getElementById("reply-body");
  const chosen = document.getElementById("reply-macro");
  const drafted = document.getElementById("reply-draft");
  const hint = document.getElementById("reply-hint");
  let isNote = false;
  const write = (mode) => {
    isNote = mode === "note";
    if (hint) hint.textContent = hint.dataset[mode];
    box.closest(".reply").classList.toggle("is-note", isNote);
    box.focus();
    box.scrollIntoView({ block: "center" });
  };
  const insert = (text, taker) => {
    box.value = box.value.trim() ? `${box.value.trimEnd()}\n\n${text}` : text;
    if (chosen) chosen.value = taker.dataset.macro || "";
    if (drafted) drafted.value = taker.dataset.draft || "";
    write("reply");
  };

  // What a macro still needs is asked for before anything goes into the box.
  const sheet = document.getElementById("ask");
  const fault = document.getElementById("ask-fault");
  let waiting = null;
  const ask = (text, taker) => {
    waiting = { text, taker };
    fault.textContent = "";
    document.getElementById("ask-fields").replaceChildren(...taker.dataset.missing.split(" ").map((name) => {
      const label = document.createElement("label");
      label.className = "form-label";
      const input = document.createElement("input");
      input.className = "form-control";
      input.name = name;
      input.maxLength = 200;
      label.append(name, input);
      return label;
    }));
    sheet.showModal();
    sheet.querySelector("#ask-fields input").focus();
  };
  document.getElementById("ask-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const inputs = [...event.target.querySelectorAll("#ask-fields input")];
    const empty = inputs.find((input) => !input.value.trim());
    if (empty) { fault.textContent = fault.dataset.fault; empty.focus(); return; }
    const values = Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()]));
    const text = waiting.text.replace(/\{\{\s*([A-Za-z][\w.]*)\s*\}\}/g, (all, name) => values[name] ?? all);
    sheet.close();
    insert(text, waiting.taker);
  });
  document.addEventListener("click", (event) => {
    const taker = event.target.closest("[data-insert]");
    if (!taker || !box) return;
    event.preventDefault();
    const text = document.getElementById(taker.dataset.insert).textContent;
    if (taker.dataset.missing) ask(text, taker); else insert(text, taker);
  });

  const press = (action, isNext) => {
    const form = box.form;
    if (isNext) form.elements.next.checked = true;
    form.requestSubmit(form.querySelector(`button[value="${action}"]`));
  };
  box?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); box.blur(); return; }
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.altKey)) return;
    event.preventDefault();
    if (isNote) press("note", false);
    else if (event.altKey) press("reply_pending", false);
    else if (event.shiftKey) press("reply_solved", true);
    else press("reply", false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, textarea, select");
    if (field) { if (event.key === "Escape" && !field.closest("dialog")) { event.preventDefault(); field.blur(); } return; }
    if (event.target.closest("dialog[open]")) return;
    if (event.key === "n") { event.preventDefault(); write("note"); }
    if (event.key === "r") write("reply");
  });

  // An address may say where the cursor goes (#do-r, #do-n …); it never changes the ticket.
  const wanted = location.hash.match(/^#do-([rnlmspt])$/)?.[1];
  if (wanted) {
    history.replaceState(null, "", location.pathname + location.search);
    if (wanted === "r" || wanted === "n") write(wanted === "n" ? "note" : "reply");
    else {
      const target = document.querySelector(`[data-key="${wanted}"]`);
      if (target?.matches("input, select")) target.focus(); else target?.click();
    }
  }

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
