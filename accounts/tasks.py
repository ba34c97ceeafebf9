"""Work done beside requests."""

from celery import shared_task

from accounts import idempotency


@shared_task
def forget_answers() -> None:
    """Drop the API's first answers once nobody can ask for them again."""
    idempotency.forget_old()
