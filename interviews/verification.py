"""Verifying the chains of very many interviews in the background."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max, Min
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from interviews import history, trail
from interviews.jobs import job_kind, start_job
from interviews.models import Interview, Job, JobRow, JobState

KIND = "verify_history"
STEP = 2000  # keys of interviews


def start(interviews_of: trail.Wanted, *, by: User) -> Job:
    """A job over every interview to which something of it happened, as `by` may see them. Nobody
    has two of them: while one is not over, it is the one returned."""
    if unfinished := _unfinished(by):
        return unfinished
    concerned = trail.concerned(by, interviews_of).aggregate(first=Min("pk"), last=Max("pk"))
    first, last = concerned["first"] or 0, concerned["last"] or -1
    params: dict[str, Any] = asdict(interviews_of)
    for name in ("since", "until"):
        params[name] = params[name] and params[name].isoformat()
    with transaction.atomic():
        # Who presses twice in one moment waits here for themselves.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=by.pk)
        return _unfinished(by) or start_job(
            KIND,
            by=by,
            total=len(range(first, last + 1, STEP)),
            params={"wanted": params, "first": first, "last": last},
        )


def _unfinished(by: User) -> Job | None:
    return by.jobs.filter(kind=KIND, state__in=[JobState.QUEUED, JobState.RUNNING]).first()


@job_kind(KIND, batch=1)
class VerifyHistory:
    """Its items are the first keys of stretches of interviews."""

    title = _("Verifying history")
    outcomes = {"held": _("Holds"), **dict(history.Problem.choices)}

    def items(self, job: Job) -> Sequence[int]:
        return range(job.params["first"], job.params["last"] + 1, STEP)

    def do(self, job: Job, items: Sequence[int]) -> Iterable[JobRow]:
        wanted = _wanted(job.params["wanted"])
        for number, first in enumerate(items, start=job.done + 1):
            stretch = Interview.objects.filter(pk__gte=first, pk__lt=first + STEP)
            chosen = stretch.filter(pk__in=trail.concerned(job.requested_by, wanted).values("pk"))
            tally = history.Tally()
            for broken in history.verify(chosen, tally):
                yield JobRow(
                    job=job,
                    number=number,
                    outcome=broken.problem,
                    subject=f"interview:{broken.interview}",
                    detail={"entry": broken.sequence},
                )
            yield JobRow(job=job, number=number, outcome="held", detail=asdict(tally))


def _wanted(params: dict[str, Any]) -> trail.Wanted:
    days = {name: date.fromisoformat(params[name]) for name in ("since", "until") if params[name]}
    return trail.Wanted(**{**params, **days})
