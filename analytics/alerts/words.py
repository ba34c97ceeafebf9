"""Alerts as people say them."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import User
from analytics.alerts import rules
from analytics.alerts.causes import BEFORE, Cause
from analytics.alerts.models import Alert, AlertRule, Ending, Key, Whose
from analytics.alerts.names import names_of, source_name
from analytics.dashboards import words
from analytics.dashboards.telling import out_of, percent, rate
from analytics.figures import Rate
from interviews.models import InterviewKind

# What its work item says, by the code that cancellations.work has in words.
CODES = {
    "no_show": "alert_no_show",
    "no_reply": "alert_no_reply",
    "cancel": "alert_cancel",
    "exit": "alert_exit",
    "incomplete": "alert_incomplete",
    "undelivered": "alert_undelivered",
    "mismatch": "alert_mismatch",
}
NO_CAUSE = gettext_lazy("No single cause stands out.")
LEADS = {
    "wrong_contact": gettext_lazy("Numbers or mailboxes on file do not take our messages"),
    "undelivered": gettext_lazy("Messages fail on our side or on the way"),
    "error": gettext_lazy("Messages are lost: %(name)s"),
    "channel": gettext_lazy("Lost by %(name)s"),
    "link": gettext_lazy("Invitations run out unopened; check the link"),
    "platform": gettext_lazy("Faults of the interview platform"),
    "early": gettext_lazy("Times before 9:00"),
    "evening": gettext_lazy("Times from 18:00 on"),
    "no_reminder": gettext_lazy("Candidates without a reminder"),
    "not_reached": gettext_lazy("Candidates whom no reminder reached"),
    "reason": gettext_lazy("The reason “%(name)s”"),
    "question": gettext_lazy("Leaving at question %(name)s"),
    "ending": gettext_lazy("How it ended: %(name)s"),
    "department": gettext_lazy("The department %(name)s"),
    "position": gettext_lazy("The position %(name)s"),
    "source": gettext_lazy("The source %(name)s"),
    "recruiter": gettext_lazy("The positions of %(name)s"),
}
ONE_RECRUITER = gettext_lazy("The positions of one recruiter")
Names = Mapping[tuple[str, str], str]


# --- what, where, how much ------------------------------------------------------------------------


def share(of: Rate, threshold: int) -> str:
    """As exactly as it takes to tell it from the threshold."""
    if of.share is None or of.is_small:
        return rate(of)
    if of.numerator * 100 == threshold * of.denominator:
        return percent(of.share)
    for places in (1, 2, 3):
        shown = round(of.share * 100, places)
        if shown != threshold:
            return pgettext("percentage", "%(number)s %%") % {"number": f"{shown:g}"}
    return out_of(of)


def what(alert: Alert | AlertRule) -> str:
    """The rate, and of which kind of interview."""
    said = str(alert.get_rate_display())
    return f"{said} ({InterviewKind(alert.kind).label})" if alert.kind else said


def title(alert: Alert, name: str) -> str:
    words = {"what": what(alert), "share": share(alert.worst, alert.threshold), "where": name}
    return _("%(what)s: %(share)s · %(where)s") % words


def measured(alert: Alert, of: Rate) -> str:
    """A rate with its two counts."""
    said = share(of, alert.threshold)
    return said if of.is_small else f"{said} ({out_of(of)})"


def opening(alert: Alert) -> str:
    said = {
        "rate": measured(alert, alert.first),
        "days": alert.days,
        "ahead": rules.AHEAD,
        "threshold": alert.threshold,
    }
    if alert.rate in rules.LOOKS_AHEAD:
        return (
            _(
                "%(rate)s in the last %(days)d days and the next %(ahead)d. The rule allows"
                " %(threshold)d %%."
            )
            % said
        )
    return _("%(rate)s in the last %(days)d days. The rule allows %(threshold)d %%.") % said


def over(alert: Alert) -> str:
    """Why it is over, with how it stands."""
    said = str(Ending(alert.ending).label)
    if alert.ending != Ending.RECOVERED:
        return said
    return _("%(why)s Now %(rate)s; at the worst %(worst)s.") % {
        "why": said,
        "rate": measured(alert, alert.now),
        "worst": measured(alert, alert.worst),
    }


def of_rule(rule: AlertRule) -> str:
    """What it watches and when it speaks, in one sentence."""
    said = {
        "what": what(rule),
        "where": rule.get_scope_display(),
        "threshold": rule.threshold,
        "days": rule.days,
        "ahead": rules.AHEAD,
    }
    if rule.rate in rules.LOOKS_AHEAD:
        return (
            _(
                "%(what)s, %(where)s: more than %(threshold)d %% in %(days)d days and the next"
                " %(ahead)d"
            )
            % said
        )
    return _("%(what)s, %(where)s: more than %(threshold)d %% in %(days)d days") % said


def names_of_alerts(alerts: Iterable[Alert]) -> dict[int, str]:
    """Where each of them is, by its key; a query for each kind of place."""
    alerts = list(alerts)
    found: dict[int, str] = {}
    for scope in {alert.scope for alert in alerts}:
        here = [alert for alert in alerts if alert.scope == scope]
        names = names_of(scope, [alert.key for alert in here])
        found |= {alert.pk: names[alert.key] for alert in here}
    return found


# --- likely causes --------------------------------------------------------------------------------


def causes_of(alert: Alert) -> list[Cause]:
    return [Cause.of(told) for told in alert.evidence]


def named(causes: Iterable[Cause], *, people: bool) -> Names:
    """What their keys are called, read together; members of staff only where `people` may be."""
    keys: dict[str, set[str]] = {}
    for cause in causes:
        keys.setdefault(cause.code, set()).add(cause.key)
    found: dict[tuple[str, str], str] = {}
    for code in (Whose.DEPARTMENT.value, Whose.POSITION.value):
        owners = [Key(owner=int(key)) for key in keys.get(code, ())]
        if owners:
            found |= {(code, str(key.owner)): name for key, name in names_of(code, owners).items()}
    if people and keys.get("recruiter"):
        rows = User.objects.filter(pk__in=keys["recruiter"]).values_list("pk", "name")
        found |= {("recruiter", str(pk)): name for pk, name in rows}
    if keys.get("reason"):
        labels = words.reason_labels()
        found |= {("reason", code): label for (_party, code), label in labels.items()}
    return found


def lead(cause: Cause, names: Names) -> str:
    """What it is."""
    key = cause.key
    if cause.code == "code":
        return words.work_code("anomaly", key)
    said = str(LEADS[cause.code])
    match cause.code:
        case "recruiter" if ("recruiter", key) not in names:
            return str(ONE_RECRUITER)
        case "source":
            return said % {"name": source_name(key)}
        case "error":
            return said % {"name": words.cause(key)}
        case "channel":
            return said % {"name": words.channel(key)}
        case "ending":
            return said % {"name": words.ending(key)}
    return said % {"name": names.get((cause.code, key), key)}


def numbers(cause: Cause) -> str:
    """How much, and how many times as much as what it is compared with."""
    now = f"{percent(cause.now.share or 0)} ({out_of(cause.now)})"
    beside = f"{percent(cause.beside.share or 0)}, {out_of(cause.beside)}"
    shown = {"now": now, "beside": beside, "lift": f"{cause.lift or 0:.1f}".removesuffix(".0")}
    if cause.lift is None:
        if cause.against == BEFORE:
            return _("%(now)s, and none in the days before (%(beside)s)") % shown
        return _("%(now)s, and none of the others (%(beside)s)") % shown
    if cause.against == BEFORE:
        return _("%(now)s, %(lift)s times as many as in the days before (%(beside)s)") % shown
    return _("%(now)s, %(lift)s times as many as of the others (%(beside)s)") % shown


def sentence(cause: Cause, names: Names) -> str:
    return _("%(what)s: %(numbers)s.") % {
        "what": lead(cause, names).removesuffix("."),
        "numbers": numbers(cause),
    }
