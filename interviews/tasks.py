"""Work done beside requests: ids in, calls out."""

import structlog
from celery import shared_task
from django.utils import timezone

from interviews import jobs, seals
from interviews import verification as verification  # its kind of job is known by being imported
from interviews.booking import queries as booking
from interviews.booking import slots
from interviews.gates import queries as gate_queries
from interviews.gates import services as gates
from interviews.imports import jobs as imports_jobs  # noqa: F401 - so are the kinds of imports
from interviews.platforms import jobs as platforms_jobs  # noqa: F401 - and this one
from interviews.platforms import outbox, reconcile
from interviews.platforms import services as platforms
from interviews.platforms.models import Platform
from interviews.refill import services as refill
from interviews.reminders import planning, sweep
from interviews.room import services as room

logger = structlog.get_logger(__name__)
LONGEST = 1800  # seconds for what asks a slow platform for all it holds


@shared_task(time_limit=LONGEST)
def work_on_job(job_id: int) -> None:
    jobs.run_job(job_id)


@shared_task
def go_on_with_jobs() -> None:
    """Begin what the broker lost, and go on with what a worker left behind when it died."""
    for job_id in jobs.unfinished_jobs():
        # The next sweep says it again: while the worker is busy, they would only heap up.
        work_on_job.apply_async((job_id,), expires=jobs.SWEPT)


@shared_task
def forget_old_reports() -> None:
    """Files and reports may hold what a cell said: they are kept only for a while."""
    jobs.forget_reports(before=timezone.now() - jobs.KEPT)


@shared_task
def lapse_sittings() -> None:
    """End what nobody has come back to in time. Beat calls this every minute."""
    for sitting_id in room.overdue(timezone.now()):
        try:
            room.lapse(sitting_id)
        except Exception:  # one bad row must not keep the others open
            logger.exception("lapse_failed", sitting=sitting_id)


@shared_task
def refill_places() -> None:
    """Offer on what nobody answered in time, and what has found nobody yet."""
    refill.sweep(timezone.now())


@shared_task
def make_slots() -> None:
    """Series have their slots for some weeks ahead, and a new day brings one more day of them."""
    for series_id in booking.series_ahead(timezone.now()):
        try:
            slots.make_slots(series_id)
        except Exception:  # one bad series must not keep the others without slots
            logger.exception("slots_not_made", series=series_id)


@shared_task
def remind_of_documents() -> None:
    """Once a day, who has had their interview and still owes a document."""
    now = timezone.now()
    waiting = gate_queries.waiting_for_documents(ended_since=now - gates.REMIND_FOR)
    for application_id in waiting:
        try:
            gates.remind_of_missing(application_id, now=now)
        except Exception:  # one bad row must not keep the others from being told
            logger.exception("not_reminded", application=application_id)


@shared_task
def take_steps() -> None:
    """Remind, follow up and close what is due, as far as it can be done before beat says so again;
    then plan a piece for the rules that were changed."""
    sweep.take_due(seconds=20)
    planning.plan_changed_rules(pieces=20)


@shared_task
def seal_history() -> None:
    """One seal a day; where others were writing for too long, the next hour tries again."""
    if seals.seal_due(timezone.now()):
        seals.seal_history()


@shared_task
def tell_platform(platform_id: int) -> None:
    """Tell a platform what has just happened, and what is due again. Several at once are no help:
    one tells, the others end."""
    outbox.tell_due(platform_id, seconds=15)


@shared_task
def tell_platforms() -> None:
    """Have each platform told what the broker lost, or a worker took with it when it died: a task
    for each, so that one that hangs holds up no other."""
    for platform_id in outbox.waiting_platforms():
        tell_platform.delay(platform_id)


@shared_task
def reconcile_platforms() -> None:
    """Once an hour, every platform that is switched on."""
    for platform_id in Platform.objects.filter(is_active=True).values_list("pk", flat=True):
        reconcile_platform.delay(platform_id)


@shared_task(time_limit=LONGEST)
def reconcile_platform(platform_id: int) -> None:
    """Go over everything a platform holds; what is found stands with each interview."""
    try:
        compared, found = reconcile.summary(reconcile.run(platform_id))
    except reconcile.Busy:
        return
    counts = {str(key): count for key, count in found.items()}
    logger.info("platform_reconciled", platform=platform_id, compared=compared, **counts)


@shared_task
def forget_platform_logs() -> None:
    """Drop the old end of the logs of calls and events."""
    platforms.forget_old()
