from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [path("demo/messages/", views.demo_messages, name="demo_messages")]
