// Everything works without this file. It keeps the clocks going, lets the queue be worked through with
// the keyboard, keeps what is ticked while the list renews itself, says so where it cannot, and starts
// over where the session has ended.

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

// --- the queue from the keyboard ---------------------------------------------------------------------
// j and k walk the list, Enter opens (as on any link), x ticks, c takes the case on. a and d only make
// the decision ready: the focus goes to the note, and Enter there decides. They mean what is ticked, which
// is read once more on a page of its own; where nothing is, the case that is open; where another row has
// the focus, they open that one first.

const NOTE = "[data-decision] textarea";

function rows() {
  return [...document.querySelectorAll("#requests .request")];
}

function focusedRow() {
  const row = document.activeElement?.closest(".request");
  return row && !row.hasAttribute("aria-current") ? row : null;
}

function walk(step) {
  const links = rows();
  const at = links.indexOf(document.activeElement);
  const from = at < 0 ? links.findIndex((link) => link.hasAttribute("aria-current")) : at;
  links[Math.min(Math.max(from + step, 0), links.length - 1)]?.focus();
}

function ready(key) {
  const form = document.querySelector("[data-decision]");
  const button = form?.querySelector(`[data-key="${key}"]`);
  if (!button) return;
  unready();
  form.dataset.ready = key;
  button.classList.add("is-ready");
  form.querySelector("[data-hint-here]").textContent = button.dataset.hint;
  form.querySelector("textarea").focus();
}

function unready() {
  const form = document.querySelector("[data-decision][data-ready]");
  if (!form) return false;
  delete form.dataset.ready;
  form.querySelector(".is-ready").classList.remove("is-ready");
  form.querySelector("[data-hint-here]").textContent = "";
  form.querySelector("textarea").blur();
  return true;
}

function decide(key) {
  const several = document.querySelector(".request-tick :checked");
  if (several) document.querySelector(`#bulk [data-key="${key}"]`)?.click();
  else toCase(key);
}

function toCase(key) {
  const row = focusedRow();
  if (row) location.assign(`${row.href}#${key}`);
  else if (key === "c") document.querySelector("[data-claim]")?.click();
  else ready(key);
}

function tickRow() {
  const row = document.activeElement?.closest(".request") || document.querySelector(".request[aria-current]");
  row?.closest(".request-row").querySelector("[type=checkbox]")?.click();
}

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  a: () => decide("a"),
  d: () => decide("d"),
  c: () => toCase("c"),
  x: tickRow,
  "?": () => {
    const keys = document.querySelector("[data-keys]");
    if (!keys) return;
    keys.open = !keys.open;
    if (keys.open) keys.querySelector("summary").focus();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const note = event.target.closest(NOTE);
  if (note) {
    const key = note.form.dataset.ready;
    if (event.key === "Escape") unready();
    else if (event.key === "Enter" && !event.shiftKey && key && !event.repeat) {
      event.preventDefault();
      note.form.requestSubmit(note.form.querySelector(`[data-key="${key}"]`));
    }
    return;
  }
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!act || !document.querySelector("#requests")) return;
  event.preventDefault();
  act();
});

// On a page of its own Esc leads back to the list; out of a box first, so that no words are lost.
document.addEventListener("keydown", (event) => {
  const back = document.querySelector("[data-back]");
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !back) return;
  const box = event.target.closest("input, textarea, select");
  if (box) box.blur();
  else location.assign(back.href);
});

// Who came by a key from another row finds the decision ready; to take it on there is one key more.
if (/^#[ad]$/.test(location.hash)) ready(location.hash.slice(1));
if (location.hash === "#c") document.querySelector("[data-claim]")?.focus();

// --- what is ticked ----------------------------------------------------------------------------------

const ticked = new Set();

function count() {
  const said = document.querySelector("[data-chosen]");
  if (said) said.textContent = document.querySelectorAll(".request-tick :checked").length;
}

document.addEventListener("change", (event) => {
  if (event.target.closest(".request-tick")) count();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "requests") return;
  ticked.clear();
  for (const tick of document.querySelectorAll(".request-tick :checked")) ticked.add(tick.id);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "requests") return;
  for (const tick of document.querySelectorAll(".request-tick input")) tick.checked = ticked.has(tick.id);
  count();
});
count();

// --- a line that dropped ------------------------------------------------------------------------------

function sayStale(words) {
  const line = document.querySelector("[data-stale-here]");
  if (line) line.textContent = words;
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.target?.id !== "requests") return;
    sayStale(document.querySelector("[data-stale]").dataset.stale);
  });
}
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "requests") sayStale("");
});

// Whoever has been signed out meanwhile is taken to the sign-in page, not shown it inside the list.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.finalRequestPath, location.href);
  const answered = new URL(event.detail.xhr.responseURL || asked);
  if (answered.pathname === asked.pathname) return;
  event.detail.shouldSwap = false;
  location.reload();
});
