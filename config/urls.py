"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path, register_converter

from config import health, views
from config.references import ReferenceConverter

register_converter(ReferenceConverter, "reference")

urlpatterns: list = [
    # First, because it is asked most: whoever is in the room saves about once a second.
    path("interviews/<reference:reference>/room/", include("interviews.room.urls")),
    path("", views.home, name="home"),
    path("", include("accounts.urls")),
    path("desk/sign-in/with/", include("accounts.callback_urls")),
    path("", include("cancellations.urls")),
    path("desk/insights/alerts/", include("analytics.alerts.urls")),
    path("desk/insights/risk/", include("analytics.risk.urls")),
    path("desk/insights/", include("analytics.findings.urls")),
    path("", include("interviews.refill.urls")),
    path("", include("candidates.talent_pool.urls")),
    path("", include("interviews.urls")),
    path("", include("interviews.reminders.urls")),
    path("", include("analytics.urls")),
    path("", include("notifications.urls")),
    path("api/", include("config.api")),
    path("admin/", admin.site.urls),
    *health.urlpatterns,
]

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"
