"""The desk's addresses for figures."""

from django.urls import path

from analytics.dashboards import rows, views

app_name = "analytics"
urlpatterns = [
    path("desk/insights/", views.page, {"name": "overview"}, name="overview"),
    path("desk/insights/reasons/", views.page, {"name": "reasons"}, name="reasons"),
    path("desk/insights/timing/", views.page, {"name": "timing"}, name="timing"),
    path("desk/insights/leaving/", views.page, {"name": "exits"}, name="exits"),
    path("desk/insights/attendance/", views.page, {"name": "attendance"}, name="attendance"),
    path("desk/insights/decisions/", views.page, {"name": "decisions"}, name="decisions"),
    path("desk/insights/delivery/", views.page, {"name": "delivery"}, name="delivery"),
    path("desk/insights/quality/", views.page, {"name": "quality"}, name="quality"),
    path("desk/insights/guide/", views.page, {"name": "guide"}, name="guide"),
    path("desk/insights/rows/", rows.rows, name="rows"),
    path("desk/insights/report/", views.report, name="report"),
    path("desk/insights/report/weekly/", views.weekly_summary, name="weekly"),
    path("desk/insights/tables/<slug:page>/<slug:table>.<slug:kind>", views.table, name="table"),
]
