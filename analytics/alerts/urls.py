"""Alerts, and the rules that open them."""

from django.urls import path

from analytics.alerts import views

app_name = "alerts"

urlpatterns = [
    path("", views.index, name="index"),
    path("<int:alert_id>/", views.alert, name="alert"),
    path("rules/", views.rules_list, name="rules"),
    path("rules/new/", views.new_rule, name="new_rule"),
    path("rules/<int:rule_id>/", views.edit_rule, name="edit_rule"),
    path("rules/<int:rule_id>/delete/", views.delete_rule, name="delete_rule"),
]
