"use strict";
(() => {
  const form = document.getElementById("filter");
  const find = document.getElementById("find");
  const fields = ["from", "to", "purpose", "verdict"].map((id) => document.getElementById(id));
  const kinds = [...document.querySelectorAll("#listing > details")].map((element) => ({
    element, count: Number(element.dataset.count), rows: null, text: "",
  }));
  const lower = (node) => node.textContent.toLowerCase();

  // Texts are read when they are first searched: most readers never do.
  const read = (kind) => {
    if (kind.rows) return;
    kind.rows = [...kind.element.querySelectorAll("tbody.calls > tr")].map((row) => ({ row, text: lower(row) }));
    const items = kind.element.querySelector("tbody:not(.calls)");
    kind.text = lower(kind.element.querySelector("summary")) + (items ? " " + lower(items) : "");
  };

  const apply = () => {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, calls = 0;
    for (const kind of kinds) {
      let fits = fields.every((field) => !field.value || kind.element.dataset[field.id] === field.value);
      let count = kind.count;
      if (fits && (wanted.length || kind.rows)) {
        read(kind);
        const rest = wanted.filter((word) => !kind.text.includes(word));
        let left = 0;
        for (const { row, text } of kind.rows) {
          row.hidden = !rest.every((word) => text.includes(word));
          left += !row.hidden;
        }
        if (rest.length) { fits = left > 0; count = left; }
      }
      kind.element.hidden = !fits;
      if (fits) { shown += 1; calls += count; }
    }
    document.getElementById("kinds").textContent = shown.toLocaleString(document.documentElement.lang);
    document.getElementById("calls").textContent = calls.toLocaleString(document.documentElement.lang);
  };

  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", soon);
  form.addEventListener("change", apply);
  find.addEventListener("input", soon);
  // On a phone the choices would take the whole screen.
  if (matchMedia("(max-width: 46rem)").matches) document.getElementById("choices").open = false;
  form.hidden = false;
  apply();
})();
