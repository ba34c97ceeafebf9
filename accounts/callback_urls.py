"""Where providers send people back to, under the names by which allauth looks them up."""

from django.urls import path

from accounts.views.elsewhere import back

urlpatterns = [
    path("dingtalk/back/", back, {"provider_id": "dingtalk"}, name="dingtalk_callback"),
    path("feishu/back/", back, {"provider_id": "feishu"}, name="feishu_callback"),
    path("<provider_id>/back/", back, name="openid_connect_callback"),
]
