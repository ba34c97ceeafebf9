"""Administrators' site."""

from django.contrib.admin.sites import AdminSite
from django.utils.translation import gettext_lazy as _


class Site(AdminSite):
    """The stock admin; sign-in happens at /desk/ like for all staff."""

    site_header = _("Mianyue administration")
    site_title = _("Mianyue")
    index_title = _("Everything the product holds")
