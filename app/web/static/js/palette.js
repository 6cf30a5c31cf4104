/* The command palette: Ctrl-K or Cmd-K, then a few letters of what is wanted. */
(() => {
  "use strict";
  const sheet = document.getElementById("palette");
  if (!sheet) return;
  const query = document.getElementById("palette-query");
  const list = document.getElementById("palette-list");
  const MOST = 12;
  let far = [], shown = [], at = 0;

  const nameOf = (element) => element.dataset.action || element.getAttribute("aria-label") || element.labels?.[0]?.textContent
    || element.textContent;
  const near = () => [...document.querySelectorAll("[data-key], [data-action]")]
    .filter((element) => !sheet.contains(element) && !element.hidden && !element.closest("dialog, [hidden]"))
    .map((element) => ({ kind: sheet.dataset.here, title: nameOf(element).replace(/\s+/g, " ").trim(), key: element.dataset.key, element }))
    .filter((entry) => entry.title);

  // Letters in order; a run of them, and the beginning of a word, count for more.
  const score = (text, wanted) => {
    let points = 0, from = 0, last = -2;
    for (const letter of wanted) {
      const found = text.indexOf(letter, from);
      if (found < 0) return -1;
      points += found === last + 1 ? 3 : 1;
      if (found === 0 || /[\s:·]/.test(text[found - 1])) points += 2;
      last = found;
      from = found + 1;
    }
    return points - text.length / 100;
  };
  const fitting = (text) => {
    const wanted = text.trim().toLowerCase();
    const number = wanted.match(/^(?:#|tkt_)?(\d{1,15})$/);
    const entries = [...near(), ...far];
    const found = wanted
      ? entries.map((entry) => ({ entry, points: score(entry.title.toLowerCase(), wanted.replace(/\s+/g, "")) }))
        .filter(({ points }) => points >= 0).sort((one, other) => other.points - one.points).map(({ entry }) => entry)
      : entries;
    const ticket = number && { kind: "#", title: sheet.dataset.openTicket.replace("{n}", number[1]), url: `/tickets/${number[1]}` };
    return (ticket ? [ticket, ...found] : found).slice(0, MOST);
  };
  const draw = () => {
    shown = fitting(query.value);
    at = Math.min(at, Math.max(shown.length - 1, 0));
    list.replaceChildren(...shown.map((entry, index) => {
      const item = document.createElement("li");
      item.id = `palette-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === at));
      const title = document.createElement("span");
      title.textContent = entry.title;
      const kind = document.createElement("span");
      kind.className = "note-line";
      kind.textContent = entry.key ? `${entry.kind} · ${entry.key}` : entry.kind;
      item.append(title, kind);
      item.addEventListener("click", () => run(entry));
      return item;
    }));
    if (!shown.length) list.textContent = sheet.dataset.none;
    query.setAttribute("aria-activedescendant", shown.length ? `palette-${at}` : "");
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  const run = (entry) => {
    sheet.close();
    const ticket = document.getElementById("ticket")?.dataset.ticket;
    if (entry.element) {
      if (entry.element.matches("input, textarea, select")) entry.element.focus();
      else if (entry.element.matches("details")) entry.element.open = !entry.element.open;
      else entry.element.click();
    } else if (entry.macro && ticket) location.assign(`/tickets/${ticket}?take=${entry.macro}#answer`);
    else location.assign(entry.url);
  };
  const open = async () => {
    if (sheet.open) { sheet.close(); return; }
    query.value = "";
    at = 0;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    sheet.showModal();
    draw();
    if (far.length) return;
    try {
      const answer = await fetch(sheet.dataset.source);
      if (answer.ok) far = (await answer.json()).entries;
      draw();
    } catch { /* The page's own commands are there all the same. */ }
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  query.addEventListener("input", () => { at = 0; draw(); });
  query.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); at = (at + step + shown.length) % Math.max(shown.length, 1); draw(); }
    if (event.key === "Enter" && shown[at]) { event.preventDefault(); run(shown[at]); }
  });
})();
