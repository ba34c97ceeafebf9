"""What the pages of this package say."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.risk.facts import Target
from interviews.imports.answers import further_answers
from interviews.models import InterviewKind

APPOINTMENTS = {
    "walk_in": gettext_lazy("Comes without a fixed time"),
    "scheduled": gettext_lazy("Has a fixed time"),
    "scheduled_walk_in": gettext_lazy("Comes on a fixed day, without a fixed time"),
}
_PLAIN = {
    "lives_elsewhere": gettext_lazy("Lives in another city than where the interview is"),
    "works_elsewhere": gettext_lazy("The job is in another city than where they live"),
    "moved": gettext_lazy("The appointment has been moved once"),
    "moved_again": gettext_lazy("The appointment has been moved more than once"),
    "weekend": gettext_lazy("It is at a weekend"),
    "booked_slowly": gettext_lazy("More than three days went by until it was booked"),
    "hour=early": gettext_lazy("It begins before nine"),
    "hour=morning": gettext_lazy("It is in the morning"),
    "hour=noon": gettext_lazy("It is around noon"),
    "hour=afternoon": gettext_lazy("It is in the afternoon"),
    "hour=evening": gettext_lazy("It is in the evening"),
    "ahead=day": gettext_lazy("Booked less than a day ahead"),
    "ahead=days": gettext_lazy("Booked one to three days ahead"),
    "ahead=week": gettext_lazy("Booked three to seven days ahead"),
    "ahead=long": gettext_lazy("Booked more than a week ahead"),
}
# Whose value is a code of ours, or typed by whoever set it up: what it is called stands on the
# interview itself, and the sentence holds without it.
_OF_ITS_OWN = {
    "department": gettext_lazy("Appointments of this department need help more often"),
    "category": gettext_lazy("Appointments for positions of this category need help more often"),
    "place": gettext_lazy("Appointments at this place need help more often"),
    "source": gettext_lazy("Appointments that came from the same system need help more often"),
}


def chance(target: str, probability: float, usual: float) -> str:
    """With what is usual beside it, so that nobody reads a small chance as a large one."""
    words = {"chance": round(probability * 100), "usual": round(usual * 100)}
    if target == Target.CANCEL:
        return _("May have to cancel: %(chance)d %%, usually %(usual)d %%") % words
    return _("May not be able to come: %(chance)d %%, usually %(usual)d %%") % words


@dataclass(frozen=True)
class Factor:
    """One thing that makes help likelier to be of use, and the kind of help that fits it."""

    text: str
    help: str = ""


def factors(codes: Iterable[str], source: str) -> list[Factor]:
    """In the order given; `source` is the interview's, whose mapping knows how it was asked."""
    return [Factor(_text(code, source), _help(code)) for code in codes]


def _text(code: str, source: str) -> str:
    name, _equals, value = code.partition("=")
    if name.startswith("answer:"):
        [(question, answer)] = further_answers(source, {name.removeprefix("answer:"): value})
        return _("“%(question)s”: %(answer)s") % {"question": question, "answer": answer}
    if code in _PLAIN:
        return str(_PLAIN[code])
    if name in _OF_ITS_OWN:
        return str(_OF_ITS_OWN[name])
    if name == "appointment" and value in APPOINTMENTS:
        return str(APPOINTMENTS[value])
    if name == "kind" and value in InterviewKind.values:
        return str(InterviewKind(value).label)
    return code  # of a later version, read by an earlier one


def _help(code: str) -> str:
    name, _equals, _value = code.partition("=")
    if name in {"hour", "weekend", "moved", "moved_again"} or code == "answer:permission=no":
        return _("Offer another time.")
    if name in {"lives_elsewhere", "works_elsewhere"}:
        return _("Ask whether the journey works; offer an interview online if you can.")
    if name == "answer:venue_clear":
        return _("Send the way and a landmark again.")
    if name in {"answer:call_letter", "answer:resume_printed"}:
        return _("Send the invitation and the description again.")
    return ""


NOT_INSTALLED = gettext_lazy(
    "Nothing can be trained here: the extra “risk” (scikit-learn) is not installed. Install it "
    "with “pip install --require-hashes -r requirements/risk.txt”, for the worker or where "
    "“manage.py train_risk” is run."
)
