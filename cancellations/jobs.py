"""Long work about cancelling, done in the background (interviews/jobs.py)."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ApiToken, User
from cancellations import company
from cancellations.models import Reason
from interviews.jobs import Halted, job_kind, start_job
from interviews.models import Job, JobRow
from interviews.templatetags.contact import grouped

COMPANY_CANCEL = "company_cancel"
TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a code, not a token


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
    the job's own: the same form sent twice starts it once. The token of the API that `by` acts
    through, if any, goes along."""
    return start_job(
        COMPANY_CANCEL,
        by=by,
        total=len(references),
        params={
            "references": list(references),
            "reason": reason.pk,
            "detail": detail,
            "note": note,
            "token": by.api_token_id,
        },
        reference=reference,
    )


@job_kind(COMPANY_CANCEL, batch=250)
class CompanyCancel:
    """Those that cannot be called off are left alone, and the report says why. What was begun
    through a token of the API stands in the history under its number, and ends with it."""

    title = gettext_lazy("Cancelling for the company")
    outcomes = dict(company.Fate.choices)
    halts = {
        TOKEN_REVOKED: gettext_lazy(
            "It was stopped: the API token it was started with was revoked. What the report lists"
            " is done; the rest was not touched."
        )
    }

    def words(self, row: JobRow) -> str:
        receipt = row.detail.get("receipt")
        return _("Receipt %(number)s") % {"number": grouped(receipt)} if receipt else ""

    def items(self, job: Job) -> Sequence[str]:
        return job.params["references"]

    def do(self, job: Job, items: Sequence[str]) -> Iterable[JobRow]:
        by = job.requested_by
        by.api_token_id = job.params.get("token")
        if by.api_token_id and _is_revoked(by.api_token_id):
            raise Halted(TOKEN_REVOKED)
        fates = company.cancel_many(
            items,
            by=by,
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


def _is_revoked(token_id: int) -> bool:
    return ApiToken.objects.filter(pk=token_id, revoked_at__isnull=False).exists()
