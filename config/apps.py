from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ProjectConfig(AppConfig):
    """The project itself, for its management commands."""

    name = "config"
    default = True


class AdminConfig(admin_apps.AdminConfig):
    """The Django admin under the product's name."""

    default = False
    default_site = "config.admin.Site"
