"""Long work in the background: batch after batch, each in a transaction with its report.

A kind of job registers how its items are found and what is done with a batch of them:

    @job_kind("company_cancel", batch=100)
    class CompanyCancel:
        title = _("Cancelling for the company")
        outcomes = {"cancelled": _("Cancelled"), "not_found": _("Not found")}

        def items(self, job: Job) -> Sequence[str]: ...
        def do(self, job: Job, items: Sequence[str]) -> Iterable[JobRow]: ...
"""

import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

import structlog
from celery import current_app
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from accounts.models import User
from config.references import new_reference
from config.tracking import act_as
from interviews.models import Job, JobRow, JobState
from interviews.queries import sees_everything

logger = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # for one batch; a job whose worker died goes on that long after
AT_ONCE = 120.0  # seconds one task works before it makes room for others and queues itself again
MOST_ATTEMPTS = 4  # times a job is taken up without coming forward: what kills workers is given up
SWEPT = 30  # seconds from one look for jobs left behind to the next
KEPT = timedelta(days=90)  # files and reports, from the end of the job


class Halted(Exception):
    """Raised by `do` or `work` before anything is done: the job is to be stopped. `code` says
    why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Kind(Protocol):
    """`items` must give the same sequence each time it is asked of the same job; `do` deals with a
    few of them in the caller's transaction and returns the rows of the report that tell of them.

    A kind may also have a `title`, as lists of jobs name it; `outcomes`, what the codes of its rows
    mean in words; `words(row)`, what the report says beside the outcome; `halts`, what the codes
    of its Halted mean; and `permission`, without which nobody sees its jobs, not even their own.
    """

    def items(self, job: Job) -> Sequence[Any]: ...

    def do(self, job: Job, items: Sequence[Any]) -> Iterable[JobRow]: ...


@dataclass(frozen=True)
class Stride:
    """How far work that is not cut into items has come, and what it has to report since."""

    done: int
    total: int
    rows: Sequence[JobRow] = ()


@runtime_checkable
class Walk(Protocol):
    """A kind that asks other systems, and so works outside any transaction, stride by stride. Where
    its worker died it begins anew: it must bear being repeated."""

    def work(self, job: Job) -> Generator[Stride]: ...


KINDS: dict[str, tuple[Kind | Walk, int]] = {}
AnyKind = TypeVar("AnyKind", bound=Kind | Walk)


def job_kind(name: str, *, batch: int = 1) -> Callable[[type[AnyKind]], type[AnyKind]]:
    """Class decorator: jobs called `name` do what the class says, `batch` items at a time."""

    def register(kind: type[AnyKind]) -> type[AnyKind]:
        KINDS[name] = (kind(), batch)
        return kind

    return register


def title_of(job: Job) -> str | Promise:
    kind, _ = KINDS.get(job.kind, (None, 0))
    return getattr(kind, "title", job.kind)


def outcomes_of(job: Job) -> Mapping[str, str | Promise]:
    kind, _ = KINDS.get(job.kind, (None, 0))
    return getattr(kind, "outcomes", {})


def why_halted(job: Job) -> str | Promise:
    """Why its kind would not go on with it, in words; empty where it went on, or somebody stopped
    it."""
    kind, _ = KINDS.get(job.kind, (None, 0))
    halts: Mapping[str, str | Promise] = getattr(kind, "halts", {})
    return halts.get(job.error_code, "")


def words_of(job: Job, row: JobRow) -> str:
    """What a line of the report says beside its outcome."""
    kind, _ = KINDS.get(job.kind, (None, 0))
    say = getattr(kind, "words", None)
    return say(row) if say else " · ".join(str(each) for each in row.detail.values())


def visible_jobs(user: User) -> QuerySet[Job]:
    """Everybody's own; administrators see all. A report may hold what only some may read: who lost
    the permission its kind asks for sees it no longer."""
    needs = {name: getattr(kind, "permission", "") for name, (kind, _) in KINDS.items()}
    closed = [name for name, needed in needs.items() if needed and not user.has_perm(needed)]
    jobs = Job.objects.all() if sees_everything(user) else user.jobs.all()
    return jobs.exclude(kind__in=closed)


@transaction.atomic
def start_job(
    kind: str,
    *,
    by: User,
    total: int,
    params: dict[str, Any] | None = None,
    file: bytes | None = None,
    file_name: str = "",
    reference: str = "",
) -> Job:
    """A job that begins once the caller's transaction has committed.

    A form that carries a `reference` starts one job however often it is sent: the second time the
    job already there is returned, whoever's it is.
    """
    job, is_new = Job.objects.get_or_create(
        reference=reference or new_reference(),
        defaults={
            "kind": kind,
            "requested_by": by,
            "total": total,
            "params": params or {},
            "file": file,
            "file_name": file_name[:200],
            "claimed_until": timezone.now(),
        },
    )
    if is_new:
        transaction.on_commit(partial(_publish, job.pk))
    return job


@transaction.atomic
def stop_job(job_id: int) -> Job:
    """Stop a job after the batch in hand, for which nobody waits here; what it has done stays done,
    and the report says how far it came. One that has not begun never does."""
    job = _locked().get(pk=job_id)
    if job.state == JobState.QUEUED:
        job.stop(at=timezone.now())
    job.stop_asked = True
    job.save(update_fields=["state", "ended_at", "stop_asked"])
    return job


def run_job(job_id: int) -> None:
    """Work on a job until it is over or AT_ONCE has passed; nothing where another worker has it."""
    job = _claim(job_id)
    if job is None:
        return
    deadline = time.monotonic() + AT_ONCE
    try:
        kind, batch = KINDS[job.kind]
        if isinstance(kind, Walk):
            _walk(job, kind)
            return
        items = kind.items(job)
        while time.monotonic() < deadline:
            if not _do_batch(job_id, kind, items, batch):
                return
    except OperationalError as trouble:
        # A deadlock, or the database went away. The lease ends, and somebody goes on.
        logger.warning("job_interrupted", job=job_id, error=type(trouble).__name__)
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
    return list(waiting.order_by("claimed_until").values_list("pk", flat=True)[:100])


@transaction.atomic
def forget_reports(*, before: datetime) -> int:
    """Remove what jobs that ended `before` then were given and what they reported; the jobs
    themselves stay. How many lines of reports there were."""
    old = Job.objects.filter(ended_at__lt=before)
    removed, _ = JobRow.objects.filter(job__in=old).delete()
    old.exclude(file=None, params={}).update(file=None, params={})
    return removed


@transaction.atomic
def _claim(job_id: int) -> Job | None:
    """Take the job for LEASE, which each batch prolongs."""
    now = timezone.now()
    free = Q(claimed_until__lte=now) | Q(claimed_until=None)
    if not _is_my_turn(job_id):
        return None
    job = _locked().filter(free, pk=job_id).first()
    if job is None or job.is_over:
        return None
    job.run()
    job.attempts += 1
    if job.attempts > MOST_ATTEMPTS:
        job.fail(at=now, code="gave_up")
    job.claimed_until = now + LEASE
    job.save(update_fields=["state", "claimed_until", "attempts", "ended_at", "error_code"])
    return None if job.is_over else job


@transaction.atomic
def _do_batch(job_id: int, kind: Kind, items: Sequence[Any], batch: int) -> bool:
    """Whether there is more to do. Taking turns keeps two workers, should the lease of one have
    ended under it, from doing the same items."""
    _wait_for_turn(job_id)
    job = Job.objects.defer("file").get(pk=job_id)
    if job.is_over:
        return False
    chosen = items[job.done : job.done + batch]
    if job.stop_asked or not chosen:
        end = job.stop if chosen else job.finish
        end(at=timezone.now())
        job.save(update_fields=["state", "ended_at"])
        return False
    act_as(f"user:{job.requested_by_id}")
    try:
        rows = list(kind.do(job, chosen))
    except Halted as halted:
        job.stop(at=timezone.now())
        job.error_code = halted.code
        job.save(update_fields=["state", "ended_at", "error_code"])
        return False
    JobRow.objects.bulk_create(rows)
    job.done += len(chosen)
    job.attempts = 0
    job.claimed_until = timezone.now() + LEASE
    job.save(update_fields=["done", "attempts", "claimed_until"])
    return True


def _walk(job: Job, kind: Walk) -> None:
    """To the end, or until it is stopped. What a worker that died reported is reported anew."""
    job.rows.all().delete()
    try:
        with closing(kind.work(job)) as strides:
            for stride in strides:
                if not _write_down(job, stride):
                    return
    except Halted as halted:
        _end_walk(job, "stop", halted.code)
    else:
        _end_walk(job, "finish")


@transaction.atomic
def _write_down(job: Job, stride: Stride) -> bool:
    """Whether to go on."""
    _wait_for_turn(job.pk)
    job = _locked().defer("file").get(pk=job.pk)
    if job.is_over:
        return False
    JobRow.objects.bulk_create(stride.rows)
    job.done, job.total = stride.done, stride.total
    job.claimed_until = timezone.now() + LEASE
    if job.stop_asked:
        job.stop(at=timezone.now())
    job.save(update_fields=["done", "total", "claimed_until", "state", "ended_at"])
    return not job.is_over


@transaction.atomic
def _end_walk(job: Job, how: str, code: str = "") -> None:
    _wait_for_turn(job.pk)
    job = _locked().defer("file").get(pk=job.pk)
    if not job.is_over:
        getattr(job, how)(at=timezone.now())
        job.error_code = code
        job.save(update_fields=["state", "ended_at", "error_code"])


@transaction.atomic
def _fail(job_id: int, code: str) -> None:
    _wait_for_turn(job_id)
    job = _locked().get(pk=job_id)
    if not job.is_over:
        job.fail(at=timezone.now(), code=code[:60])
        job.save(update_fields=["state", "ended_at", "error_code"])


def _locked() -> QuerySet[Job]:
    """For the moment it takes to change a state; lines of a report that are being written refer to
    the row, and are not waited for."""
    return Job.objects.select_for_update(no_key=True)


# Whose turn it is to work on a job stands beside its row: a batch may take long, and who stops the
# job is to have the row meanwhile. The first number tells these locks from others of the database.
_TURN = 7_305_002


def _wait_for_turn(job_id: int) -> None:
    """Until the transaction ends, nobody else works on the job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_TURN, job_id])


def _is_my_turn(job_id: int) -> bool:
    """As `_wait_for_turn`, but False where somebody works on it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_TURN, job_id])
        return bool(cursor.fetchone()[0])


def _publish(job_id: int) -> None:
    """Tell a worker; the sweep finds the job where the broker is away."""
    try:
        current_app.send_task("interviews.tasks.work_on_job", [job_id])
    except Exception as trouble:
        logger.warning("broker_away", error=type(trouble).__name__)
