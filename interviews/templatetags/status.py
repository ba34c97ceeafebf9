"""How a status is told: the word, the hue and the shape."""

from django import template

from interviews.states import InterviewStatus

register = template.Library()

HUES = {
    InterviewStatus.INVITED: "sea",
    InterviewStatus.BOOKED: "sea",
    InterviewStatus.CANCELLING: "amber",
    InterviewStatus.IN_PROGRESS: "sea",
    InterviewStatus.EXITING: "amber",
    InterviewStatus.COMPLETED: "leaf",
    InterviewStatus.NO_SHOW: "amber",
}


@register.filter
def status_word(status: str) -> str:
    return str(InterviewStatus(status).label)


@register.filter
def status_hue(status: str) -> str:
    """sea, amber, leaf or, for what is over without having happened, grey."""
    return HUES.get(InterviewStatus(status), "grey")
