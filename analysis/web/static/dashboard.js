"use strict";
// Without this script every page is whole; with it, pages of a ledger that grows follow it.
(() => {
  const state = document.getElementById("state");
  const fresh = document.getElementById("fresh");
  const behind = document.getElementById("behind");
  const parts = [...document.querySelectorAll("[data-live]")].map((part) => part.id);
  for (const field of document.querySelectorAll("#filter select, #filter [type=checkbox]")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }
  const choices = document.getElementById("choices");
  if (choices && matchMedia("(max-width: 46rem)").matches) {
    // They would take the whole screen of a phone.
    const chosen = [...choices.querySelectorAll("select, input")].some((field) => (field.type === "checkbox" ? field.checked : field.value));
    choices.open = chosen;
  }
  if (!("grows" in document.body.dataset) || !(state || fresh)) return;

  const ids = () => new Set([...document.querySelectorAll("tr[data-id]")].map((row) => row.dataset.id));
  let busy = false, again = false, missed = false;

  // What somebody reads or has the focus in is left as it is until he goes on.
  const used = (part) => part.contains(document.activeElement) || part.matches(":hover")
    || (String(getSelection()) && part.contains(getSelection().anchorNode));

  const renew = async () => {
    // Of a page that nobody sees, nothing is made.
    if (document.hidden) { missed = true; return; }
    if (busy) { again = true; return; }
    busy = true;
    const begin = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "1" } });
      if (!answer.ok) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of parts) {
        const old = document.getElementById(id), part = made.getElementById(id);
        if (!old || used(old)) continue;
        if (!part) { old.remove(); continue; }
        const known = ids();
        for (const row of part.querySelectorAll("tr[data-id]")) row.classList.toggle("new", !known.has(row.dataset.id));
        old.replaceWith(document.adoptNode(part));
      }
    } catch { /* the next event tries again */ } finally {
      // Where a page takes long, the machine has other work: it asks for a fifth of the time at most.
      setTimeout(() => {
        busy = false;
        if (again) { again = false; renew(); }
      }, Math.max(500, 4 * (performance.now() - begin)));
    }
  };

  document.addEventListener("visibilitychange", () => {
    if (missed && !document.hidden) { missed = false; renew(); }
  });

  const source = new EventSource("/live" + (fresh ? location.search : ""));
  source.addEventListener("open", () => { if (state) state.textContent = state.dataset.liveText; });
  source.addEventListener("error", () => { if (state) state.textContent = state.dataset.deadText; });
  source.addEventListener("calls", (event) => {
    const told = JSON.parse(event.data), n = told.fresh;
    if (behind) { behind.textContent = told.behind; behind.hidden = !told.behind; }
    if (!fresh) { renew(); return; }
    fresh.hidden = n === 0;
    fresh.textContent = n === 1 ? fresh.dataset.one : fresh.dataset.many.replace("{n}", n.toLocaleString(document.documentElement.lang));
  });
})();
