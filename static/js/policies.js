// Everything works without this file. With it, tiers come and go by a button, and leaving what is not
// saved yet asks first.

const form = document.querySelector("[data-policy-form]");

if (form) {
  const list = form.querySelector("[data-tiers]");
  const template = form.querySelector("[data-tier-template]");
  const total = form.querySelector('[name="tiers-TOTAL_FORMS"]');
  const add = form.querySelector("[data-tier-add]");

  // A tick box to remove a tier becomes a button that takes it off the page; the form still says so.
  const prepare = (row) => {
    const label = row.querySelector("[data-remove]");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-quiet button-small";
    button.textContent = label.textContent.trim();
    label.hidden = true;
    label.after(button);
    button.addEventListener("click", () => {
      label.querySelector("input").checked = true;
      row.hidden = true;
      form.dispatchEvent(new Event("change"));
      add.focus();
    });
  };
  const isBlank = (row) => !row.querySelector('input[type="number"]').value && !row.querySelector(".errorlist");

  for (const row of list.children) {
    prepare(row);
    row.hidden = (isBlank(row) && list.children.length > 1) || row.querySelector("[data-remove] input").checked;
  }
  if (![...list.children].some((row) => !row.hidden)) list.firstElementChild.hidden = false;

  add.hidden = false;
  add.addEventListener("click", () => {
    const unused = [...list.children].find(
      (row) => row.hidden && isBlank(row) && !row.querySelector("[data-remove] input").checked,
    );
    const row = unused ?? template.content.firstElementChild.cloneNode(true);
    if (!unused) {
      for (const each of row.querySelectorAll("[name], [id], [for]")) {
        for (const name of ["name", "id", "for"]) {
          const value = each.getAttribute(name);
          if (value) each.setAttribute(name, value.replace("__prefix__", total.value));
        }
      }
      total.value = Number(total.value) + 1;
      prepare(row);
    }
    row.hidden = false;
    list.append(row);
    row.querySelector("input").focus();
  });

  let changed = Boolean(form.querySelector(".errorlist")) || Boolean(document.querySelector(".error-summary"));
  form.addEventListener("change", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
