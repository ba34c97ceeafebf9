"""Charts and figures on pages."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from analytics.charts import Chart

register = template.Library()


@register.simple_tag
def drawing(chart: Chart, name: str) -> SafeString:
    """The chart as SVG; `name` is its own on the page."""
    return chart.svg(name)


@register.inclusion_tag("analytics/chart.html")
def chart(chart: Chart, name: str) -> dict[str, Any]:
    """The chart, and what its colours stand for."""
    return {"chart": chart, "name": name}
