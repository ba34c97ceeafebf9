from django.apps import AppConfig


class BiConfig(AppConfig):
    name = "analytics.bi"
    label = "bi"
