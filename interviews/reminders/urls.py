"""Answers to reminders, and the rules for them."""

from django.urls import path

from interviews.reminders import views

app_name = "reminders"

urlpatterns = [
    path("c/<str:token>/", views.appointment, name="appointment"),
    path("t/<str:token>/", views.trouble, name="trouble"),
    path("interviews/<reference:reference>/confirm/", views.confirm, name="confirm"),
    path("interviews/<reference:reference>/trouble/", views.own_trouble, name="own_trouble"),
    path("desk/settings/reminders/", views.rules_list, name="rules"),
    path("desk/settings/reminders/new/", views.new_rule, name="new_rule"),
    path("desk/settings/reminders/<int:rule_id>/", views.edit_rule, name="edit_rule"),
]
