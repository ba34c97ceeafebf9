"""Long work about cancelling, done in the background (interviews/jobs.py)."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from cancellations import company
from cancellations.models import Reason
from interviews.jobs import job_kind, start_job
from interviews.models import Job, JobRow
from interviews.templatetags.contact import grouped

COMPANY_CANCEL = "company_cancel"


def start_cancelling(
    references: Sequence[str],
    *,
    by: User,
    reason: Reason,
    detail: str,
    note: str,
    reference: str,
) -> Job:
    """Call these interviews off in the background; nobody is told before it begins. `reference` is
    the job's own: the same form sent twice starts it once."""
    return start_job(
        COMPANY_CANCEL,
        by=by,
        total=len(references),
        params={
            "references": list(references),
            "reason": reason.pk,
            "detail": detail,
            "note": note,
        },
        reference=reference,
    )


@job_kind(COMPANY_CANCEL, batch=250)
class CompanyCancel:
    """Those that cannot be called off are left alone, and the report says why."""

    title = gettext_lazy("Cancelling for the company")
    outcomes = dict(company.Fate.choices)

    def words(self, row: JobRow) -> str:
        receipt = row.detail.get("receipt")
        return _("Receipt %(number)s") % {"number": grouped(receipt)} if receipt else ""

    def items(self, job: Job) -> Sequence[str]:
        return job.params["references"]

    def do(self, job: Job, items: Sequence[str]) -> Iterable[JobRow]:
        fates = company.cancel_many(
            items,
            by=job.requested_by,
            reason=Reason.objects.get(pk=job.params["reason"]),
            detail=job.params["detail"],
            note=job.params["note"],
        )
        return [
            JobRow(
                job=job,
                number=number,
                outcome=each.fate,
                subject=f"interview:{each.reference}",
                detail={"receipt": each.receipt} if each.receipt else {},
            )
            for number, each in enumerate(fates, start=job.done + 1)
        ]
