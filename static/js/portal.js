// Everything works without this file. It keeps a button from being pressed twice, says so, and moves
// the focus to what went wrong.

const waiting = document.createElement("p");
waiting.className = "visually-hidden";
waiting.setAttribute("role", "status");
document.body.append(waiting);

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter || form.querySelector("[data-busy]");
  if (form.method !== "post" || !button?.dataset.busy) return;
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return;
  }
  button.dataset.label = button.textContent;
  button.textContent = waiting.textContent = button.dataset.busy;
  button.setAttribute("aria-disabled", "true");
});

// The back button may bring the page back just as it was left, still waiting.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  waiting.textContent = "";
  for (const button of document.querySelectorAll('[data-busy][aria-disabled="true"]')) {
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-disabled");
  }
});

for (const element of document.querySelectorAll("[data-print]")) {
  element.hidden = false;
  element.addEventListener("click", () => print());
}

document.querySelector("[data-focus]")?.focus();

// A menu closes when the attention goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".menu[open]");
  if (!menu) return;
  event.preventDefault(); // it is used up
  menu.open = false;
  menu.querySelector("summary").focus();
});
