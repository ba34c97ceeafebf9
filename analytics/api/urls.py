"""The API's addresses for figures; their names stand in the API's own namespace."""

from django.urls import path

from analytics.api import views

urlpatterns = [
    path("overview/", views.Overview.as_view(), name="insights"),
    path("reasons/", views.Reasons.as_view(), name="reason_figures"),
    path("timing/", views.Timing.as_view(), name="timing_figures"),
    path("exits/", views.Exits.as_view(), name="exit_figures"),
    path("attendance/", views.Attendance.as_view(), name="attendance_figures"),
    path("decisions/", views.Decisions.as_view(), name="decision_figures"),
    path("delivery/", views.Delivery.as_view(), name="delivery_figures"),
    path("quality/", views.Quality.as_view(), name="quality_figures"),
    path("metrics/", views.Metrics.as_view(), name="metrics"),
]
