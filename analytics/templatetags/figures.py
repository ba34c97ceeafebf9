"""Figures in words, on pages."""

from django import template
from django.utils.translation import pgettext

from analytics.dashboards import telling

register = template.Library()

register.filter("rate", telling.rate)
register.filter("sample", telling.sample)


@register.filter
def per_cent(number: int) -> str:
    """Of a whole number of them."""
    return pgettext("percentage", "%(number)s %%") % {"number": number}
