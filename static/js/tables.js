// Everything works without this file. "/" goes to the search box; the box at the head of a table ticks
// all of its rows, and the bar below says how many are ticked.

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("[data-search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-bulk]");
  if (!form) return;
  const ticks = [...form.querySelectorAll("tbody [type=checkbox]")];
  const all = form.querySelector("[data-bulk-all]");
  if (event.target === all) for (const tick of ticks) tick.checked = all.checked;
  const ticked = ticks.filter((tick) => tick.checked).length;
  if (all) {
    all.checked = ticked > 0 && ticked === ticks.length;
    all.indeterminate = ticked > 0 && ticked < ticks.length;
  }
  for (const count of form.querySelectorAll("[data-bulk-count]")) count.textContent = ticked;
});
