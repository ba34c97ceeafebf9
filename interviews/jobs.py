"""Long work in the background: batch after batch, each in a transaction with its report.

A kind of job registers how its items are found and what is done with a batch of them:

    @job_kind("company_cancel", batch=100)
    class CompanyCancel:
        @staticmethod
        def items(job: Job) -> Sequence[str]: ...
        @staticmethod
        def do(job: Job, items: Sequence[str]) -> Iterable[JobRow]: ...
"""

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from interviews.models import Job, JobRow, JobState

logger = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # for one batch; a job whose worker died goes on that long after
AT_ONCE = 120.0  # seconds one task works before it makes room for others and queues itself again


class Kind(Protocol):
    """`items` must give the same sequence each time it is asked of the same job; `do` deals with a
    few of them in the caller's transaction and returns a row of the report for each."""

    def items(self, job: Job) -> Sequence[Any]: ...

    def do(self, job: Job, items: Sequence[Any]) -> Iterable[JobRow]: ...


KINDS: dict[str, tuple[Kind, int]] = {}


def job_kind(name: str, *, batch: int) -> Callable[[type[Kind]], type[Kind]]:
    """Class decorator: jobs called `name` do what the class says, `batch` items at a time."""

    def register(kind: type[Kind]) -> type[Kind]:
        KINDS[name] = (kind(), batch)
        return kind

    return register


@transaction.atomic
def start_job(
    kind: str,
    *,
    by: User,
    total: int,
    params: dict[str, Any] | None = None,
    file: bytes | None = None,
    file_name: str = "",
) -> Job:
    """A job that begins once the caller's transaction has committed."""
    job = Job.objects.create(
        kind=kind,
        requested_by=by,
        total=total,
        params=params or {},
        file=file,
        file_name=file_name[:200],
        claimed_until=timezone.now(),
    )
    transaction.on_commit(partial(_publish, job.pk))
    return job


def stop_job(job: Job) -> None:
    """Ask a job to stop; what it has done stays done, and the report says how far it came."""
    Job.objects.filter(pk=job.pk).update(stop_asked=True)


def run_job(job_id: int) -> None:
    """Work on a job until it is over or AT_ONCE has passed; nothing where another worker has it."""
    job = _claim(job_id)
    if job is None:
        return
    kind, batch = KINDS[job.kind]
    deadline = time.monotonic() + AT_ONCE
    try:
        items = kind.items(job)
        while time.monotonic() < deadline:
            if not _do_batch(job_id, kind, items, batch):
                return
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("job_broke", job=job_id, error=type(error).__name__, where=where)
        _fail(job_id, type(error).__name__)
        return
    Job.objects.filter(pk=job_id).update(claimed_until=timezone.now())
    _publish(job_id)


def unfinished_jobs() -> list[int]:
    """Jobs that nobody works on: not begun, or left behind by a worker that died."""
    waiting = Job.objects.filter(
        state__in=[JobState.QUEUED, JobState.RUNNING], claimed_until__lt=timezone.now()
    )
    return list(waiting.values_list("pk", flat=True)[:100])


@transaction.atomic
def _claim(job_id: int) -> Job | None:
    """Take the job for LEASE. A job is claimed again after each batch."""
    now = timezone.now()
    free = Q(claimed_until__lte=now) | Q(claimed_until=None)
    job = Job.objects.select_for_update(skip_locked=True).filter(free, pk=job_id).first()
    if job is None or job.is_over:
        return None
    job.run()
    job.claimed_until = now + LEASE
    job.save(update_fields=["state", "claimed_until"])
    return job


@transaction.atomic
def _do_batch(job_id: int, kind: Kind, items: Sequence[Any], batch: int) -> bool:
    """Whether there is more to do."""
    now = timezone.now()
    job = Job.objects.select_for_update().get(pk=job_id)
    if job.is_over:
        return False
    chosen = items[job.done : job.done + batch]
    if job.stop_asked or not chosen:
        job.stop(at=now) if chosen else job.finish(at=now)
        job.save(update_fields=["state", "ended_at"])
        return False
    JobRow.objects.bulk_create(kind.do(job, chosen))
    job.done += len(chosen)
    job.claimed_until = now + LEASE
    job.save(update_fields=["done", "claimed_until"])
    return True


@transaction.atomic
def _fail(job_id: int, code: str) -> None:
    job = Job.objects.select_for_update().get(pk=job_id)
    if not job.is_over:
        job.fail(at=timezone.now(), code=code[:60])
        job.save(update_fields=["state", "ended_at", "error_code"])


def _publish(job_id: int) -> None:
    """Tell a worker; the sweep finds the job where the broker is away."""
    try:
        current_app.send_task("interviews.tasks.work_on_job", [job_id])
    except Exception as trouble:
        logger.warning("broker_away", error=type(trouble).__name__)
