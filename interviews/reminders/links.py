"""Links in messages: they lead to one appointment for one purpose, hold nothing personal, and sign
nobody in."""

from django.core.signing import BadSignature, Signer

from interviews.models import Interview

CONFIRM, TROUBLE = "confirm", "trouble"
_SALT = "interviews.reminders."


def token_for(interview: Interview, purpose: str) -> str:
    return Signer(salt=_SALT + purpose, sep=".").sign(interview.reference)


def interview_of(token: str, purpose: str) -> Interview | None:
    """The interview a link leads to; None where nobody of ours has signed it for this purpose."""
    try:
        reference = Signer(salt=_SALT + purpose, sep=".").unsign(token)
    except BadSignature:
        return None
    return Interview.objects.with_facts().filter(reference=reference).first()
