"""Into the talent pool and out of it, as the candidate wishes."""

from django.utils import timezone

from accounts.models import User
from candidates.models import Candidate


def join(user: User) -> None:
    """They agree to be kept and asked; agreeing again keeps the first moment. Raises
    Candidate.DoesNotExist."""
    candidate = Candidate.objects.get(user=user)
    mine = Candidate.objects.filter(pk=candidate.pk, talent_pool_at=None)
    mine.update(talent_pool_at=timezone.now())


def leave(user: User) -> None:
    """They take their consent back: from now on nobody of the pool is looked at in them."""
    Candidate.objects.filter(user=user).update(talent_pool_at=None)
