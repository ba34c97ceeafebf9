"""Figures in words, on pages."""

from django import template

from analytics.dashboards import telling

register = template.Library()

register.filter("rate", telling.rate)
register.filter("sample", telling.sample)
