"""Mail, by SMTP."""

import hashlib
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from notifications.channels import Refused, TryAgain
from notifications.models import Notification
from notifications.rendering import Message


def send(notification: Notification, message: Message) -> str:
    """Hand one mail to the server; its Message-ID.

    The Message-ID follows from the dedupe key: where a mail goes out twice, mailboxes show it once.
    """
    try:
        validate_email(notification.address)
    except ValidationError:
        raise Refused("address") from None
    message_id = _message_id(notification.dedupe_key)
    mail = EmailMessage(
        subject=message.title,
        body=message.body,
        to=[notification.address],
        headers={
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": notification.language,
        },
    )
    try:
        mail.send()
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
    return message_id


def _message_id(dedupe_key: str) -> str:
    digest = hashlib.sha256(dedupe_key.encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def _verdict(code: int) -> Refused | TryAgain:
    return (Refused if code >= 500 else TryAgain)(str(code))
