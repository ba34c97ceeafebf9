// Everything works without this file. It keeps the clocks going, lets the queue be walked with j and k,
// and starts over where the session has ended.

const MINUTE = 60_000;

// As the server says it (templatetags/desk.py), with the words it sent along.
function brief(milliseconds, words) {
  const minutes = Math.floor(Math.abs(milliseconds) / MINUTE);
  const parts = [
    [Math.floor(minutes / 1440), words.days],
    [Math.floor(minutes / 60) % 24, words.hours],
    [minutes % 60, words.minutes],
  ];
  const said = parts.filter(([count]) => count).slice(0, 2);
  return (said.length ? said : parts.slice(-1))
    .map(([count, text]) => text.replace("%(count)d", count))
    .join(" ");
}

function tick() {
  const words = document.querySelector("[data-words]")?.dataset;
  if (!words) return;
  for (const clock of document.querySelectorAll("[data-left]")) {
    const left = Date.parse(clock.dateTime) - Date.now();
    const text = brief(left, words);
    clock.textContent = left < 0 && clock.dataset.late ? clock.dataset.late.replace("{time}", text) : text;
  }
}

setInterval(tick, MINUTE / 4);

// j and k walk the list; Enter opens, as it does on any link.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return;
  const links = [...document.querySelectorAll(".request")];
  const at = links.indexOf(document.activeElement);
  const from = at < 0 ? links.findIndex((link) => link.hasAttribute("aria-current")) : at;
  links[Math.min(Math.max(from + step, 0), links.length - 1)]?.focus();
});

// Whoever has been signed out meanwhile is taken to the sign-in page, not shown it inside the list.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.finalRequestPath, location.href);
  const answered = new URL(event.detail.xhr.responseURL || asked);
  if (answered.pathname === asked.pathname) return;
  event.detail.shouldSwap = false;
  location.reload();
});
