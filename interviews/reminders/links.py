"""Links in messages: they lead to one appointment for one purpose, hold nothing personal, and sign
nobody in."""

from django.core.signing import BadSignature, Signer

from config.references import Named
from interviews.models import Interview

CONFIRM, TROUBLE = "confirm", "trouble"
_signers = {
    purpose: Signer(salt=f"interviews.reminders.{purpose}", sep=".")
    for purpose in (CONFIRM, TROUBLE)
}


def token_for(interview: Named, purpose: str) -> str:
    return _signers[purpose].sign(interview.reference)


def interview_of(token: str, purpose: str) -> Interview | None:
    """The interview a link leads to; None where nobody of ours has signed it for this purpose."""
    try:
        reference = _signers[purpose].unsign(token)
    except BadSignature:
        return None
    return Interview.objects.with_facts().filter(reference=reference).first()
