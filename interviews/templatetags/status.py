"""How a status is told: the word, the hue and the shape."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from interviews.states import InterviewStatus

register = template.Library()

GREY = "grey"  # what is over without having happened
HUES = {
    InterviewStatus.INVITED: "sea",
    InterviewStatus.BOOKED: "sea",
    InterviewStatus.CANCELLING: "amber",
    InterviewStatus.IN_PROGRESS: "sea",
    InterviewStatus.EXITING: "amber",
    InterviewStatus.COMPLETED: "leaf",
    InterviewStatus.NO_SHOW: "amber",
}
_WAITING = (
    '<circle cx="6" cy="6" r="4.5" fill="none" stroke-width="1.5" />'
    '<path d="M6 1.5a4.5 4.5 0 0 0 0 9Z" stroke="none" />'
)
# Drawn on a grid of 12.
SHAPES = {
    InterviewStatus.INVITED: (
        '<path d="M6 1.5 10.5 6 6 10.5 1.5 6Z" fill="none" stroke-width="1.5" />'
    ),
    InterviewStatus.BOOKED: '<circle cx="6" cy="6" r="5" stroke="none" />',
    InterviewStatus.CANCELLING: _WAITING,
    InterviewStatus.CANCELLED: '<circle cx="6" cy="6" r="4.5" fill="none" stroke-width="1.5" />',
    InterviewStatus.IN_PROGRESS: '<path d="M3 1.5v9L10.5 6Z" stroke="none" />',
    InterviewStatus.EXITING: _WAITING,
    InterviewStatus.WITHDRAWN: '<path d="m2.5 2.5 7 7m0-7-7 7" fill="none" stroke-width="2" />',
    InterviewStatus.COMPLETED: '<path d="m1.5 6.5 3 3 6-7" fill="none" stroke-width="2" />',
    InterviewStatus.INCOMPLETE: '<path d="M2 6h8" fill="none" stroke-width="2" />',
    InterviewStatus.NO_SHOW: '<path d="M6 1v6.5M6 10v1" fill="none" stroke-width="2.2" />',
}
BADGES = {
    each: mark_safe(  # noqa: S308 - nothing in it comes from outside
        f'<span class="status status-{HUES.get(each, GREY)}">'
        f'<svg viewBox="0 0 12 12" aria-hidden="true">{SHAPES[each]}</svg>{{}}</span>'
    )
    for each in InterviewStatus
}


@register.simple_tag
def status(value: str, has_declined: bool = False) -> SafeString:
    """Shape, hue and word together: hue alone says nothing to one man in twelve."""
    known = InterviewStatus(value)
    return format_html(BADGES[known], _("Invitation declined") if has_declined else known.label)
