from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CancellationsConfig(AppConfig):
    name = "cancellations"
    verbose_name = _("Cancellations")

    def ready(self) -> None:
        from cancellations import receivers  # noqa: F401 - they listen once they are imported
