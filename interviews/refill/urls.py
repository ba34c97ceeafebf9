"""Offers of places that came free, and who waits for one."""

from django.urls import path

from interviews.refill.views import desk, portal

app_name = "refill"

urlpatterns = [
    path("o/<str:token>/", portal.by_link, name="by_link"),
    path("offers/<reference:reference>/", portal.offer, name="offer"),
    path("interviews/<reference:reference>/wait/", portal.wait, name="wait"),
    path("interviews/<reference:reference>/wait/stop/", portal.stop, name="stop"),
    path("desk/refill/", desk.index, name="index"),
    path("desk/refill/<int:position_id>/", desk.position, name="position"),
    path("desk/refill/<int:position_id>/settings/", desk.settings, name="settings"),
    path("desk/refill/<int:position_id>/offer/", desk.offer_now, name="offer_now"),
    path("desk/refill/<int:position_id>/take-off/", desk.take_off, name="take_off"),
]
