from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin import apps as admin_apps


class ProjectConfig(AppConfig):
    """The project itself, for its management commands."""

    name = "config"
    default = True


class AdminConfig(admin_apps.AdminConfig):
    """The Django admin under the product's name."""

    default = False
    default_site = "config.admin.Site"

    def ready(self) -> None:
        """Take out what libraries register and nothing here looks at: permissions come from roles,
        addresses from people, two-step sign-in is switched off on the person, API tokens are
        their owner's secret, and schedules come from the settings."""
        super().ready()
        libraries = ("account", "mfa", "socialaccount", "authtoken", "django_celery_beat")
        for model in list(admin.site._registry):
            if model._meta.app_label in libraries or model is apps.get_model("auth.Group"):
                admin.site.unregister(model)
