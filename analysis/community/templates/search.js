"use strict";
(() => {
  const form = document.getElementById("filter");
  const find = document.getElementById("find");
  const entries = [...document.querySelectorAll("#list > li")].map((element) => ({
    element, text: element.textContent.toLowerCase(),
  }));

  const apply = () => {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, text } of entries) {
      element.hidden = !wanted.every((word) => text.includes(word));
      shown += !element.hidden;
    }
    document.getElementById("shown").textContent = shown.toLocaleString(document.documentElement.lang);
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("input", apply);
  form.hidden = false;
  apply();
})();
