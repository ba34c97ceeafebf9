// Shows what is pushed and leads to the portal. It keeps nothing and answers no request.
"use strict";

addEventListener("push", (event) => {
  const { title, body, url } = event.data.json();
  event.waitUntil(
    registration.showNotification(title, { body, data: { url }, icon: "../img/favicon.svg" }),
  );
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data.url));
});
