// Have this browser told: it asks its owner, subscribes, and sends what leads to it with the form.
"use strict";

(() => {
  const section = document.querySelector("[data-push]");
  const form = section?.querySelector("[data-push-form]");
  if (!form || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const trouble = section.querySelector("[data-push-trouble]");
  form.hidden = false;

  function bytes(text) {
    const padded = text.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
  }

  async function subscribe() {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("denied");
    await navigator.serviceWorker.register(section.dataset.worker);
    const scope = section.dataset.worker.replace(/[^/]*$/, "");
    const registration = await navigator.serviceWorker.getRegistration(scope);
    await ready(registration);
    return registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(section.dataset.push),
    });
  }

  function ready(registration) {
    const worker = registration.installing || registration.waiting;
    if (registration.active || !worker) return Promise.resolve();
    return new Promise((done) => {
      worker.addEventListener("statechange", () => worker.state === "activated" && done());
    });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.hidden = true;
    try {
      const { endpoint, keys } = (await subscribe()).toJSON();
      form.elements.endpoint.value = endpoint;
      form.elements.key.value = keys.p256dh;
      form.elements.secret.value = keys.auth;
      form.submit();
    } catch {
      trouble.hidden = false;
    }
  });
})();
