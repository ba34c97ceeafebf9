/* Passkeys: a form with data-passkey fetches a challenge when it is sent, asks the browser, and goes
   on its way with the answer. allauth's webauthn-json.js translates between JSON and bytes. */
"use strict";

(() => {
  const troubles = document.querySelectorAll("[data-passkey-trouble]");

  function tell(name) {
    for (const line of troubles) line.hidden = line.dataset.passkeyTrouble !== name;
  }

  function reason(error) {
    if (error.name === "InvalidStateError") return "known";
    if (error.name === "NotSupportedError" || error.name === "SecurityError") return "unsupported";
    return "stopped";
  }

  async function challenge(form) {
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const response = await fetch(form.dataset.challenge, {
      method: "POST",
      headers: { "X-CSRFToken": token, Accept: "application/json" },
    });
    if (!response.ok || response.redirected) throw new Error("away");
    return response.json();
  }

  async function send(event) {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button[type=submit]");
    tell("");
    if (!window.PublicKeyCredential) return tell("unsupported");
    button.disabled = true;
    let options;
    try {
      options = await challenge(form);
    } catch {
      button.disabled = false;
      return tell("away");
    }
    try {
      const answer = await webauthnJSON[form.dataset.passkey](options);
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      button.disabled = false;
      tell(reason(error));
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", send);
  }
})();
