"""A POST that carries an Idempotency-Key has its effect once, however often it is sent.

The key is claimed by a unique row in the very transaction in which the request does its work and
its answer is stored: all three commit together or not at all. A second request with the same key
waits at that row until the first has ended, and then gets its answer.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.models import KeptAnswer
from accounts.tokens import caller_of

if TYPE_CHECKING:
    from rest_framework.views import APIView

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_HEADERS = ("Location", "Retry-After")
KEPT_FOR = timedelta(hours=24)
WAIT = "10s"  # for a request with the same key that is under way
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyInUse(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_in_use"
    title = _("The same request is under way")
    default_detail = _("A request with this Idempotency-Key has not ended yet. Try again.")
    wait = 2


class KeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    title = _("The key belongs to another request")
    default_detail = _("This Idempotency-Key came with something else before. Use a new one.")


def answer_once(
    endpoint: "APIView",
    handler: Callable[..., HttpResponseBase],
    key: str,
    request: Request,
    *args: Any,
    **kwargs: Any,
) -> HttpResponseBase:
    """What `handler` answers; the answer it gave before where this request was made before.

    Answers that a later try may improve on (429 and 5xx) leave nothing behind. Raises
    ValidationError, KeyInUse, KeyReused.
    """
    if not _KEY.fullmatch(key):
        message = _("Send 1 to 255 visible ASCII characters, for example a UUID.")
        raise ValidationError({HEADER: [message]})
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        kept = _claim(_digest(f"{caller_of(request)}\n{key}"), fingerprint)
        if not kept.is_new:
            return _again(kept, fingerprint)
        try:
            response: Any = handler(request, *args, **kwargs)
        except Exception as error:
            response = endpoint.handle_exception(error)  # raises what is no problem of the caller's
        if response.status_code == 429 or response.status_code >= 500:
            transaction.set_rollback(True)
        else:
            _keep(kept, response)
    return response


def first_time(number: str) -> bool:
    """Whether a form of ours with this number has not come within KEPT_FOR: one that shows a secret
    is not answered twice. Of two that come at once, one is the first."""
    _kept, is_new = KeptAnswer.objects.get_or_create(
        digest=_digest(f"form\n{number}"), defaults={"claimed_at": timezone.now()}
    )
    return is_new


def forget_old() -> int:
    """Drop what has been kept for long enough; how many answers."""
    old = KeptAnswer.objects.filter(claimed_at__lt=timezone.now() - KEPT_FOR)
    return old.delete()[0]


CLAIM = """
INSERT INTO accounts_keptanswer AS kept (digest, fingerprint, claimed_at, status, body, headers)
VALUES (%s, %s, %s, 0, '', '{}')
ON CONFLICT (digest) DO UPDATE SET fingerprint = excluded.fingerprint,
    claimed_at = excluded.claimed_at, status = 0, body = '', headers = '{}'
    WHERE kept.claimed_at < %s
RETURNING id
"""


def _claim(digest: str, fingerprint: str) -> KeptAnswer:
    """A row of our own (`is_new`), or the one with the first answer. Raises KeyInUse where another
    request holds the key for longer than anybody should wait."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
        try:
            cursor.execute(CLAIM, [digest, fingerprint, now, now - KEPT_FOR])
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise KeyInUse from None
            raise
        mine = cursor.fetchone()
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    kept = KeptAnswer.objects.get(digest=digest)
    kept.is_new = mine is not None
    return kept


def _keep(kept: KeptAnswer, response: Any) -> None:
    kept.status = response.status_code
    kept.body = JSONRenderer().render(response.data).decode()
    kept.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    kept.headers["Content-Type"] = response.content_type or JSONRenderer.media_type
    kept.save(update_fields=["status", "body", "headers"])


def _again(kept: KeptAnswer, fingerprint: str) -> HttpResponse:
    """The first answer, word for word. Raises KeyReused."""
    if kept.fingerprint != fingerprint:
        raise KeyReused
    return HttpResponse(kept.body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})


def _fingerprint(request: Request) -> str:
    """What makes two requests the same: where they go and what they carry."""
    return _digest(f"{request.get_full_path()}\n", request.body)


def _digest(text: str, more: bytes = b"") -> str:
    return hashlib.sha256(text.encode() + more).hexdigest()
