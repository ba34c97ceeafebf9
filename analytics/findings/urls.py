"""Findings, and what was done about them."""

from django.urls import path

from analytics.findings import views

app_name = "findings"

urlpatterns = [
    path("findings/", views.index, name="index"),
    path("actions/", views.actions, name="actions"),
    path("actions/actions.csv", views.actions_file, name="actions_file"),
    path("actions/new/", views.log, name="log"),
    path("actions/<int:action_id>/", views.action, name="action"),
    path("actions/<int:action_id>/edit/", views.edit, name="edit"),
    path("actions/<int:action_id>/remove/", views.remove, name="remove"),
]
