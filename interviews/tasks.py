"""Work done beside requests: ids in, calls out."""

from celery import shared_task
from django.utils import timezone

from interviews import jobs, seals
from interviews import verification as verification  # its kind of job is known by being imported
from interviews.imports import jobs as imports_jobs  # noqa: F401 - so are the kinds of imports


@shared_task
def work_on_job(job_id: int) -> None:
    jobs.run_job(job_id)


@shared_task
def go_on_with_jobs() -> None:
    """Begin what the broker lost, and go on with what a worker left behind when it died."""
    for job_id in jobs.unfinished_jobs():
        work_on_job.delay(job_id)


@shared_task
def forget_old_reports() -> None:
    """Files and reports may hold what a cell said: they are kept only for a while."""
    jobs.forget_reports(before=timezone.now() - jobs.KEPT)


@shared_task
def seal_history() -> None:
    """One seal a day; where others were writing for too long, the next hour tries again."""
    if seals.seal_due(timezone.now()):
        seals.seal_history()
