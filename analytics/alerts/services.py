"""Alerts, opened and closed as figures change; and the rules that administrators write."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q
from django.utils import translation

from accounts.models import User
from accounts.permissions import Role
from analytics.alerts import causes, measuring, notices, queries, rules, words
from analytics.alerts.causes import Cause
from analytics.alerts.models import Alert, AlertRule, Ending, Key
from analytics.alerts.names import names_of
from analytics.figures import Rate
from cancellations.notices import deciders_of
from cancellations.work import at_ten, holder_of
from config.tracking import act_as
from interviews.models import Department
from interviews.queries import company_day
from notifications import work
from notifications.models import COMPANY, WorkItem, WorkKind
from notifications.services import notify

logger = structlog.get_logger(__name__)

LOCK = 0x616C7274  # of checking: "alrt"
AT_MOST_EVERY = timedelta(minutes=1)  # a rule, however fast figures change
SHOWN = 20  # of what a rule would say
AT_LEAST_EVERY = timedelta(hours=1)  # its days go by also when nothing happens


# --- when -----------------------------------------------------------------------------------------


def figures_changed() -> None:
    """Something was counted: every rule is looked at within its minute."""
    AlertRule.objects.filter(is_active=True, is_due=False).update(is_due=True)


def check_due(now: datetime) -> int:
    """Look at the rules whose turn it is; how many. Several workers may do so at once: each rule is
    taken by one of them."""
    close_abandoned(now)
    changed = Q(is_due=True) & (
        Q(checked_at=None) | Q(checked_at__lte=now - AT_MOST_EVERY) | Q(checked_at__gt=now)
    )
    due = AlertRule.objects.filter(
        changed | Q(checked_at__lte=now - AT_LEAST_EVERY), is_active=True
    )
    checked = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        # Before anything is read: what changes from here on makes it due again.
        if not due.filter(pk=pk).update(is_due=False, checked_at=now):
            continue
        try:
            check(pk, now)
        except Exception:  # one that fails must not keep the others waiting
            logger.exception("alert_check_failed", rule=pk)
        checked += 1
    return checked


# --- one rule -------------------------------------------------------------------------------------


@transaction.atomic
def check(rule_id: int, now: datetime) -> None:
    """Open what is above the threshold, follow what is open, close what is over."""
    wait_for_turn(rule_id)
    rule = AlertRule.objects.filter(pk=rule_id, is_active=True).first()
    if rule is None:
        return
    today = company_day(now)
    measured = measuring.measure(rule, today)
    alerts = {alert.key: alert for alert in rule.alerts.open()}
    opening = {
        key: rate
        for key, rate in measured.items()
        if key not in alerts
        and rules.is_breached(rate, threshold=rule.threshold, minimum=rule.minimum)
    }
    before = {key: _stands(alert) for key, alert in alerts.items()}
    worse, over = [], {}
    for key, alert in alerts.items():
        rate = measured.get(key, Rate(0, 0))
        if alert.take_note(rate, today):
            worse.append(key)
        if ending := _ending(rule, alert, rate, now):
            over[alert] = ending
    found = causes.gather(
        rule.rate, rule.scope, [*opening, *worse], rule.kind, measuring.window(rule, today)
    )
    for key in worse:
        alerts[key].evidence = [each.told for each in found[key]]
    Alert.objects.bulk_update(
        [alert for key, alert in alerts.items() if _stands(alert) != before[key]], FOLLOWED
    )
    _open(rule, opening, found, now)
    _close(over, now)


FOLLOWED = ["count", "whole", "until", "worst_count", "worst_whole", "evidence", "calm_since"]


def _stands(alert: Alert) -> tuple[object, ...]:
    return tuple(getattr(alert, name) for name in FOLLOWED)


def _ending(rule: AlertRule, alert: Alert, rate: Rate, now: datetime) -> Ending | None:
    """Why it is over, if it is. A rate that is low has to stay so for a while."""
    if rules.is_too_few(rate, minimum=rule.minimum):
        return Ending.TOO_FEW
    if not rules.has_recovered(rate, threshold=rule.threshold, margin=rule.margin):
        alert.calm_since = None
        return None
    alert.calm_since = alert.calm_since or now
    return Ending.RECOVERED if rules.is_calm(alert.calm_since, now) else None


def _open(
    rule: AlertRule,
    opening: Mapping[Key, Rate],
    found: Mapping[Key, list[Cause]],
    now: datetime,
) -> None:
    """In the caller's transaction, which has the rule's turn: nobody else opens the same."""
    alerts = Alert.objects.bulk_create(
        Alert(
            rule=rule,
            rate=rule.rate,
            scope=rule.scope,
            owner=key.owner,
            source=key.source,
            kind=rule.kind,
            days=rule.days,
            threshold=rule.threshold,
            opened_at=now,
            until=company_day(now),
            first_count=rate.numerator,
            first_whole=rate.denominator,
            count=rate.numerator,
            whole=rate.denominator,
            worst_count=rate.numerator,
            worst_whole=rate.denominator,
            evidence=[each.told for each in found.get(key, [])],
        )
        for key, rate in opening.items()
    )
    audiences = _audiences(alerts)
    for alert in alerts:
        work.open_item(
            WorkKind.ANOMALY,
            audience=audiences[alert.pk],
            subject=alert.subject,
            params={"code": words.CODES[alert.rate], "alert": alert.pk},
            due_at=at_ten(days=1),
            opened_at=now,
        )
    notify(*notices.opened(alerts, audiences))


def _close(over: Mapping[Alert, Ending], now: datetime) -> None:
    """In the caller's transaction. Its work is settled with it, if nobody has settled it yet."""
    if not over:
        return
    alerts = list(over)
    for alert, ending in over.items():
        alert.closed_at, alert.ending = now, ending
    Alert.objects.bulk_update(alerts, ["closed_at", "ending"])
    for alert in alerts:
        with translation.override(settings.LANGUAGE_CODE):
            note = words.over(alert)
        work.close_items([alert.subject], [WorkKind.ANOMALY], by=work.SYSTEM, at=now, note=note)
    notify(*notices.closed(alerts, _audiences(alerts)))


def chase(item: WorkItem, step: str) -> None:
    """Nobody has settled an alert: remind whoever took it on, or tell who leads. In the transaction
    that takes the step, which is undone where the item was settled meanwhile."""
    alert = Alert.objects.open().filter(pk=item.params.get("alert")).first()
    if alert is None:
        return
    item = WorkItem.objects.get(pk=item.pk)  # whose it is now
    holder = holder_of(item) if step == "remind" else None
    notify(*notices.waiting(alert, item, step, [holder] if holder else _leads(item.audience)))


def _leads(audience: str) -> list[User]:
    number = audience.removeprefix("department:")
    department = Department.objects.filter(pk=number).first() if number.isdecimal() else None
    if department is not None:
        return deciders_of(department)
    return list(User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).order_by("pk"))


def _audiences(alerts: Collection[Alert]) -> dict[int, str]:
    """Whose desk it is on: the department's; of what no department answers for alone,
    administrators have it on theirs."""
    found: dict[int, str] = {}
    for scope in {alert.scope for alert in alerts}:
        here = [alert for alert in alerts if alert.scope == scope]
        departments = queries.departments_concerned(scope, [alert.key for alert in here])
        for alert in here:
            number = departments.get(alert.key)
            found[alert.pk] = COMPANY if number is None else f"department:{number}"
    return found


@transaction.atomic
def close_abandoned(now: datetime) -> None:
    """What is still open of rules that are gone or were switched off, by whatever way."""
    lost = Alert.objects.open().filter(Q(rule=None) | Q(rule__is_active=False))
    if lost.exists():
        locked = Alert.objects.open().select_for_update(of=("self",)).order_by("pk")
        _close(dict.fromkeys(locked.filter(pk__in=lost.values("pk")), Ending.SWITCHED_OFF), now)


def wait_for_turn(rule_id: int) -> None:
    """Nobody else looks at or changes this rule until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [LOCK, rule_id])


# --- what a rule would say ------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """What a rule says of the figures as they are: which it would alert about, the worst first; how
    many it watches, and of how many there is enough to say anything."""

    breached: list[tuple[str, Rate]]
    watched: int
    told_of: int

    @property
    def first(self) -> list[tuple[str, Rate]]:
        """As many as a page shows."""
        return self.breached[:SHOWN]

    @property
    def too_few(self) -> int:
        return self.watched - self.told_of


def preview(rule: AlertRule, today: date) -> Preview:
    measured = measuring.measure(rule, today)
    enough = {key: rate for key, rate in measured.items() if rate.denominator >= rule.minimum}
    breached = [
        (key, rate)
        for key, rate in enough.items()
        if rules.is_breached(rate, threshold=rule.threshold, minimum=rule.minimum)
    ]
    breached.sort(key=lambda each: (-(each[1].share or 0), each[0].owner, each[0].source))
    names = names_of(rule.scope, [key for key, _rate in breached])
    return Preview([(names[key], rate) for key, rate in breached], len(measured), len(enough))


# --- writing rules --------------------------------------------------------------------------------

MEASURES = ("rate", "scope", "kind", "days")  # what an alert is about


@transaction.atomic
def save_rule(rule: AlertRule, *, by: User, now: datetime) -> AlertRule:
    """What is open goes on with a new threshold, and is over where the rule watches something else
    or nothing any more. It is looked at anew within the minute.

    Raises PermissionDenied.
    """
    if not queries.may_edit_rules(by):
        raise PermissionDenied
    act_as(f"user:{by.pk}")
    before = None
    if rule.pk is not None:
        wait_for_turn(rule.pk)
        before = AlertRule.objects.filter(pk=rule.pk).first()
    rule.is_due, rule.checked_at = True, None
    rule.save()
    if before is None:
        return rule
    if not rule.is_active:
        _close(_all_open(rule, Ending.SWITCHED_OFF), now)
    elif any(getattr(rule, name) != getattr(before, name) for name in MEASURES):
        _close(_all_open(rule, Ending.CHANGED), now)
    else:
        rule.alerts.open().update(threshold=rule.threshold)
    return rule


@transaction.atomic
def delete_rule(rule: AlertRule, *, by: User, now: datetime) -> None:
    """Its alerts are over, and stay to be read.

    Raises PermissionDenied.
    """
    if not queries.may_edit_rules(by):
        raise PermissionDenied
    act_as(f"user:{by.pk}")
    wait_for_turn(rule.pk)
    _close(_all_open(rule, Ending.SWITCHED_OFF), now)
    rule.delete()


def _all_open(rule: AlertRule, ending: Ending) -> dict[Alert, Ending]:
    return dict.fromkeys(rule.alerts.open().order_by("pk"), ending)
