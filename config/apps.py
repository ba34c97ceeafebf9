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
        addresses from people, and two-step sign-in is switched off on the person."""
        super().ready()
        for label in ("auth.Group", "account.EmailAddress", "mfa.Authenticator"):
            admin.site.unregister(apps.get_model(label))
