"""Who may need help, and how well that is foreseen."""

from django.urls import path

from analytics.risk import views

app_name = "risk"

urlpatterns = [
    path("", views.index, name="index"),
    path("models/", views.models_page, name="models"),
]
