"""Entries for calendars: one appointment, its revisions in order, read by a real parser."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from cancellations import notices
from interviews import calendar_entries
from notifications import calendars
from tests.contracts.providers import MailServer
from tests.contracts.test_smtp import parsed
from tests.factories import CancellationFactory, CandidateFactory, InterviewFactory
from tests.notifications.messages import told, tried

pytestmark = pytest.mark.django_db
START = datetime(2026, 12, 31, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def entry(interview, method=calendar_entries.REQUEST, *, attendee="z@example.com", **fields):
    said = calendar_entries.entry(interview, method, language="en", **fields)
    read = Calendar.from_ical(calendars.entry({**said, "attendee": attendee}))
    return read, read.walk("VEVENT")[0]


def booked(**fields):
    times = {"starts_at": START, "ends_at": START + timedelta(minutes=30)}
    return InterviewFactory(**(times | fields))


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "PUBLISH"])
def test_an_entry_says_what_calendars_ask_for(method):
    interview = booked(location="A, 3; 5\\楼\n二", position__title="面试官, 装配；" * 20)

    whole, event = entry(interview, method)

    assert (whole["VERSION"], whole["METHOD"], whole["CALSCALE"]) == ("2.0", method, "GREGORIAN")
    assert whole["PRODID"]
    assert event["UID"] == f"{interview.reference}@127.0.0.1"
    assert event.decoded("DTSTART") == START.astimezone(UTC)
    assert event.decoded("DTEND") == START.astimezone(UTC) + timedelta(minutes=30)
    assert event["DTSTART"].to_ical() == b"20261231T153000Z"
    assert event["LOCATION"] == interview.location
    assert interview.position.title in event["SUMMARY"]
    assert str(event["ORGANIZER"]).startswith("mailto:")
    assert event["STATUS"] == ("CANCELLED" if method == "CANCEL" else "CONFIRMED")
    assert ("ATTENDEE" in event) == (method != "PUBLISH")
    raw = calendars.entry(calendar_entries.entry(interview, method, language="en"))
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_every_revision_is_greater_and_the_appointment_stays_the_same():
    interview = booked()
    now = timezone.now()
    events = []
    for hours, method in enumerate(["REQUEST", "REQUEST", "CANCEL", "REQUEST"]):
        with time_machine.travel(now + timedelta(seconds=2 * hours), tick=False):
            events.append(entry(interview, method)[1])

    revisions = [event["SEQUENCE"] for event in events]
    assert revisions == sorted(set(revisions))
    assert max(revisions) < 2**31
    assert len({event["UID"] for event in events}) == 1


def test_where_no_time_is_known_there_is_no_entry():
    assert calendar_entries.entry(InterviewFactory(invited=True), "REQUEST", language="en") is None


@pytest.mark.parametrize("ends_at", [None, START])
def test_an_end_that_nobody_named_is_half_an_hour_on(ends_at):
    _whole, event = entry(booked(ends_at=ends_at, slot=None))

    assert event.decoded("DTEND") - event.decoded("DTSTART") == calendar_entries.LENGTH


@pytest.mark.parametrize(
    ("tell", "event", "method"),
    [
        (notices.cancelled, "cancellation_done", "CANCEL"),
        (lambda request: notices.called_off([request]), "company_cancelled", "CANCEL"),
    ],
)
def test_mails_to_the_candidate_take_it_along_and_others_do_not(tell, event, method):
    request = CancellationFactory(interview__candidate__user__email="z@example.com")

    for notice in tell(request):
        ours = notice.event == event and notice.channel == "email"
        assert ("calendar" in notice.params) == ours
        if ours:
            assert notice.params["calendar"]["method"] == method
            assert notice.params["calendar"]["starts_at"] == request.starts_at.isoformat()


@pytest.mark.servers
def test_a_mail_brings_it_as_a_part_and_as_a_file(settings):
    said = calendar_entries.entry(booked(), "CANCEL", language="en")
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        told(channel="email", address="z@example.com", params={"calendar": said})
        assert tried().state == "sent"

    ((_recipients, content),) = server.received
    mail = parsed(content)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    kinds = [part.get_content_type() for part in parts]
    assert kinds == ["text/plain", "text/calendar", "application/ics"]
    assert parts[1].get_param("method") == "CANCEL"
    assert parts[2].get_filename() == "cancelled.ics"
    read = [Calendar.from_ical(part.get_payload(decode=True)) for part in parts[1:]]
    for each in read:
        (event,) = each.walk("VEVENT")
        assert event["UID"] == said["uid"]
        assert str(event["ATTENDEE"]) == "mailto:z@example.com"


def test_the_page_gives_the_same_entry(client):
    interview = booked(candidate=CandidateFactory())
    client.force_login(interview.candidate.user)

    response = client.get(reverse("interviews:calendar_entry", args=[interview.reference]))

    assert response["Content-Type"].startswith("text/calendar")
    assert response["Content-Disposition"] == 'attachment; filename="interview.ics"'
    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    assert event["UID"].startswith(interview.reference)
    page = client.get(reverse("cancellations:interview", args=[interview.reference]))
    assert response.request["PATH_INFO"] in page.content.decode()


def test_what_was_called_off_is_taken_out_of_the_calendar(client):
    interview = booked(candidate=CandidateFactory(), status="cancelled")
    client.force_login(interview.candidate.user)
    address = reverse("interviews:calendar_entry", args=[interview.reference])

    response = client.get(address)

    assert response["Content-Disposition"] == 'attachment; filename="cancelled.ics"'
    calendar = Calendar.from_ical(response.content)
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["UID"].startswith(interview.reference)
    page = client.get(reverse("cancellations:interview", args=[interview.reference]))
    assert address in page.content.decode()


@pytest.mark.parametrize("state", [{"invited": True}, {"no_show": True}])
def test_what_has_no_time_ahead_has_no_entry(client, state):
    interview = InterviewFactory(**state)
    client.force_login(interview.candidate.user)

    response = client.get(reverse("interviews:calendar_entry", args=[interview.reference]))

    assert response.status_code == 404
