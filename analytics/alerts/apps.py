from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    name = "analytics.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from analytics.alerts import receivers  # noqa: F401 - they listen once they are imported
