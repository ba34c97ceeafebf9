from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("messages/sms/<str:token>/", views.sms_report, name="sms_report"),
    path("messages/mail/", views.mail_report, name="mail_report"),
    path("messages/off/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("demo/messages/", views.demo_messages, name="demo_messages"),
]
