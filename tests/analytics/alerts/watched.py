"""Interviews by the dozen, rules that watch them, and alerts."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from analytics import tasks
from analytics.alerts.models import Alert, AlertRule
from interviews.models import Interview
from tests.factories import ApplicationFactory

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=ZONE)
BOOKED = {"no_show", "completed", "incomplete", "in_progress", "cancelled", "booked"}


def interviews(position, number, status, *, day=MONDAY, hour=10, source="", **fields):
    """So many at that hour of the day, all of one candidate, who booked at once when invited. An
    invitation that ran out was never booked, and counts on the day it was made."""
    application = position.applications.first() or ApplicationFactory(position=position)
    starts_at = datetime.combine(day.date(), time(hour), ZONE)
    ran_out = status == "ran_out"
    times = {
        "starts_at": None if ran_out else starts_at,
        "ends_at": None if ran_out else starts_at + timedelta(minutes=30),
        "booked_at": None if ran_out else starts_at - timedelta(days=2),
        "ended_at": starts_at + timedelta(days=3) if ran_out else None,
    }
    made = Interview.objects.bulk_create(
        Interview(
            application=application,
            status="no_show" if ran_out else status,
            source=source,
            source_key=f"{position.pk}:{status}:{starts_at:%Y%m%d%H}:{each}" if source else "",
            listed_department=position.department_id,
            listed_position=position.pk,
            **{**times, **fields},
        )
        for each in range(number)
    )
    invited = fields.get("created_at") or times["booked_at"] or starts_at
    Interview.objects.filter(pk__in=[each.pk for each in made]).update(created_at=invited)
    return made


def recount():
    """As the worker does, which then has alerts looked at."""
    tasks.recount()


def rule_for(**fields):
    values = {"rate": "no_show", "scope": "department", "days": 7, "threshold": 8} | fields
    return AlertRule.objects.create(**values)


def alert_of(scope, owner, **fields):
    """Open, with one likely cause."""
    values = {
        "rule": AlertRule.objects.first(),
        "rate": "no_show",
        "scope": scope,
        "owner": owner,
        "days": 7,
        "threshold": 8,
        "opened_at": timezone.now(),
        "until": timezone.localdate(),
        "first_count": 9,
        "first_whole": 100,
        "count": 10,
        "whole": 101,
        "worst_count": 12,
        "worst_whole": 100,
        "evidence": [
            {
                "code": "evening",
                "key": "",
                "against": "rest",
                "now": [8, 20],
                "beside": [4, 80],
            }
        ],
    }
    return Alert.objects.create(**values | fields)
