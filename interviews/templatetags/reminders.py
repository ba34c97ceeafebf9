"""What happens by itself around an interview, for pages that show one."""

from typing import Any

from django import template

from interviews.models import Interview
from interviews.reminders import words

register = template.Library()


@register.inclusion_tag("interviews/reminders/steps.html")
def reminders(interview: Interview) -> dict[str, Any]:
    """What was done, what is planned, and whether they have said that they come. One query."""
    return {
        "lines": words.lines(interview),
        "confirmed_at": interview.confirmed_at if interview.is_confirmed else None,
    }
