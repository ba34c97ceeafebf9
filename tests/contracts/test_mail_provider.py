"""Mail by a provider: Anymail's real Postmark backend against a server on this machine."""

from base64 import b64decode

import pytest
from icalendar import Calendar

from interviews import calendar_entries
from notifications import reports
from notifications.models import State
from tests.contracts.providers import MailProvider
from tests.factories import InterviewFactory
from tests.notifications.messages import told, tried

pytestmark = [pytest.mark.django_db, pytest.mark.servers]
ADDRESS = "zhang@example.com"
INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive "
    f"addresses: {ADDRESS}. Inactive recipients are ones that have generated a hard bounce."
)


@pytest.fixture
def provider(settings):
    with MailProvider() as server:
        settings.ANYMAIL_PROVIDER = "postmark"
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": server.url,
            "REQUESTS_TIMEOUT": 1,
        }
        yield server


def mail(**fields):
    told(channel="email", address=ADDRESS, **fields)
    return tried()


def test_a_mail_is_taken_and_its_reports_will_name_it(provider):
    message = mail()

    assert message.state == State.SENT
    assert message.provider_id == "00000001-0000"
    (received,) = provider.received
    assert received["To"] == ADDRESS
    assert received["Subject"] == message.title
    assert reports.read(received["Metadata"]["notification"]) == message.pk
    assert received["TrackOpens"] is False
    assert received["TrackLinks"] == "None"
    headers = {each["Name"]: each["Value"] for each in received["Headers"]}
    assert headers["Auto-Submitted"] == "auto-generated"


def test_the_calendar_comes_along_as_a_file(provider):
    said = calendar_entries.entry(InterviewFactory(), "REQUEST", language="en")

    assert mail(params={"calendar": said}).state == State.SENT

    (file,) = provider.received[0]["Attachments"]
    assert file["Name"] == "invite.ics"
    assert file["ContentType"].startswith("text/calendar")
    assert "method=REQUEST" in file["ContentType"].replace('"', "")
    assert Calendar.from_ical(b64decode(file["Content"])).walk("VEVENT")[0]["UID"] == said["uid"]


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        ((422, 406, INACTIVE), State.FAILED, "rejected"),
        ((422, 300, "Invalid 'To' address: 'zhang@example.com'."), State.FAILED, "rejected"),
        ((401, 10, "Bad or missing token"), State.QUEUED, "401"),
        ((429, 429, "Too many requests"), State.QUEUED, "429"),
        ((500, 500, "Internal"), State.QUEUED, "500"),
        (1.5, State.QUEUED, "timeout"),
    ],
)
def test_what_is_refused_and_what_is_tried_again(provider, answer, state, code):
    provider.answers.append(answer)

    message = mail()

    assert message.state == state
    assert message.error_code == code
    assert ADDRESS not in message.error_code


def test_a_provider_that_is_away_is_asked_again(provider, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": "http://127.0.0.1:1/"}

    assert mail().error_code == "unreachable"
