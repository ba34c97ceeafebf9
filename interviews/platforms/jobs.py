"""Reconciling on demand, in the background, with a report."""

from collections.abc import Generator

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import MANAGE_CONNECTIONS
from interviews.jobs import Halted, Stride, job_kind, start_job
from interviews.models import Job, JobRow
from interviews.platforms import reconcile
from interviews.platforms.base import Standing
from interviews.platforms.models import Difference, Platform, Wish

KIND = "reconcile"
BUSY = "busy"
STATES = {**dict(Standing.choices), **dict(Wish.choices)}


def start(platform: Platform, *, by: User, reference: str = "") -> Job:
    """Compare both lists now; `reference` is the job's own, so that a form counts once."""
    return start_job(
        KIND,
        by=by,
        total=platform.links.count(),
        params={"platform": platform.pk},
        file_name=platform.name,
        reference=reference,
    )


@job_kind(KIND)
class Reconcile:
    """One pass over a platform."""

    title = _("Reconciling with an interview platform")
    outcomes = dict(reconcile.Found.choices)
    permission = MANAGE_CONNECTIONS
    halts = {BUSY: _("Another pass over this platform is under way. Look again when it is over.")}

    def work(self, job: Job) -> Generator[Stride]:
        number = 0
        try:
            for step in reconcile.run(job.params["platform"]):
                rows = []
                for number, found in enumerate(step.rows, start=number + 1):  # noqa: B020
                    rows.append(self._row(job, number, found))
                yield Stride(step.done, step.total, rows)
        except reconcile.Busy:
            raise Halted(BUSY) from None

    def _row(self, job: Job, number: int, found: reconcile.Row) -> JobRow:
        subject = f"interview:{found.reference}" if found.reference else ""
        return JobRow(
            job=job, number=number, outcome=found.found, subject=subject, detail=found.detail
        )

    def words(self, row: JobRow) -> str:
        """What was found, in words; an id of theirs or a code as it is."""
        detail = row.detail
        state, code = detail.get("state", ""), detail.get("code", "")
        told = dict(Difference.choices)
        parts = [STATES.get(state, state), told.get(code, code), detail.get("id", "")]
        return " · ".join(str(part) for part in parts if part)
