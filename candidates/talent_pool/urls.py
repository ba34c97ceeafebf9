"""The talent pool."""

from django.urls import path

from candidates.talent_pool import views

app_name = "talent_pool"

urlpatterns = [path("talent-pool/", views.talent_pool, name="mine")]
