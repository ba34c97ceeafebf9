"""Mail, by SMTP or by a mail provider (Anymail)."""

import hashlib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from urllib.parse import urlsplit

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from requests import RequestException, Timeout

from notifications import calendars, reports, unsubscribing
from notifications.channels import Refused, TryAgain
from notifications.events import kind_of
from notifications.models import Notification
from notifications.rendering import Message

# Wrong credentials, too slow, too many: ours to put right, so the mail may still go.
TEMPORARY = frozenset({401, 402, 403, 408, 429})

_line: ContextVar[BaseEmailBackend | None] = ContextVar("line", default=None)


@contextmanager
def kept_open() -> Iterator[None]:
    """Mails sent within go through one connection: to open one, agree on keys and sign in takes
    longer than a mail does. It is opened with the first of them."""
    connection = get_connection()
    outer = _line.set(connection)
    try:
        yield
    finally:
        _line.reset(outer)
        with suppress(smtplib.SMTPException, OSError):  # they have gone
            connection.close()


def send(notification: Notification, message: Message) -> str:
    """Hand one mail to the server; its Message-ID, or the provider's own id for it.

    The Message-ID follows from the dedupe key: where a mail goes out twice, mailboxes show it once.
    """
    try:
        validate_email(notification.address)
    except ValidationError:
        raise Refused("address") from None
    message_id = _message_id(notification.dedupe_key)
    mail = EmailMultiAlternatives(
        subject=message.title,
        body=message.body,
        to=[notification.address],
        headers={
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": notification.language,
            **_way_out(notification),
        },
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    _add_calendar(mail, notification)
    if settings.ANYMAIL_PROVIDER:
        return _by_provider(mail, notification) or message_id
    _by_smtp(mail)
    return message_id


def _hand_over(mail: EmailMessage) -> None:
    """By the connection that is kept open, if one is; after any trouble by another one."""
    connection = _line.get()
    if connection is None:
        mail.send()
        return
    mail.connection = connection
    try:
        connection.open()
        mail.send()
    except Exception:
        with suppress(smtplib.SMTPException, OSError):
            connection.close()
        raise


def _by_smtp(mail: EmailMessage) -> None:
    try:
        _hand_over(mail)
    except smtplib.SMTPRecipientsRefused as refusal:
        code, _ = next(iter(refusal.recipients.values()))
        raise _verdict(code) from None
    except smtplib.SMTPDataError as refusal:
        raise _verdict(refusal.smtp_code) from None
    except smtplib.SMTPResponseException as trouble:  # sign-in, sender: ours to put right
        raise TryAgain(str(trouble.smtp_code)) from None
    except TimeoutError:
        raise TryAgain("timeout") from None
    except (smtplib.SMTPException, OSError):
        raise TryAgain("unreachable") from None


def _by_provider(mail: EmailMessage, notification: Notification) -> str:
    """Neither opening nor clicking is tracked; what comes back says which message it is about."""
    mail.metadata = {"notification": reports.token_of(notification)}  # type: ignore[attr-defined]
    mail.track_opens = mail.track_clicks = False  # type: ignore[attr-defined]
    try:
        _hand_over(mail)
    except AnymailRecipientsRefused:
        raise Refused("rejected") from None
    except AnymailAPIError as trouble:
        status = trouble.status_code
        if status is None:
            late = isinstance(trouble, Timeout)  # it is what the connection raised, besides
            raise TryAgain("timeout" if late else "unreachable") from None
        final = 400 <= status < 500 and status not in TEMPORARY
        raise (Refused if final else TryAgain)(str(status)) from None
    except (AnymailError, RequestException):  # its text may quote the address
        raise TryAgain("error") from None
    return mail.anymail_status.message_id or ""  # type: ignore[attr-defined]


def _way_out(notification: Notification) -> dict[str, str]:
    """One click in the mail program ends what people may do without (RFC 8058)."""
    if not kind_of(notification.event).is_optional:
        return {}
    return {
        "List-Unsubscribe": f"<{unsubscribing.url_for(notification)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _add_calendar(mail: EmailMultiAlternatives, notification: Notification) -> None:
    """As a part of its own, which Outlook reads, and as a file, which the others do. Providers take
    the file alone."""
    said = notification.params.get("calendar")
    if not said:
        return
    entry = calendars.entry({**said, "attendee": notification.address})
    kind = f"text/calendar; method={said['method']}"
    if settings.ANYMAIL_PROVIDER:
        mail.attach(calendars.NAMES[said["method"]], entry, kind)
        return
    mail.attach_alternative(entry.decode(), kind)
    mail.attach(calendars.NAMES[said["method"]], entry, "application/ics")


def _message_id(dedupe_key: str) -> str:
    digest = hashlib.sha256(dedupe_key.encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def _verdict(code: int) -> Refused | TryAgain:
    return (Refused if code >= 500 else TryAgain)(str(code))
