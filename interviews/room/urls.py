"""The interview room."""

from django.urls import path

from interviews.room import views

app_name = "room"

urlpatterns = [
    path("answers/<int:number>/", views.answer, name="answer"),
    path("heartbeat/", views.heartbeat, name="heartbeat"),
    path("answers/<int:number>/recording/", views.recording, name="recording"),
    path("", views.page, name="page"),
    path("enter/", views.enter, name="enter"),
    path("go/", views.go, name="go"),
    path("finish/", views.finish, name="finish"),
    path("events/", views.events, name="events"),
]
