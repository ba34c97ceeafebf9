"""What is said to a question: what is taken for a recording, how it is kept, who hears it."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from interviews.models import AccessLog
from interviews.room.models import LARGEST_RECORDING, Recording, RoomEvent, Sitting
from interviews.room.services import end_sitting
from tests.factories import SittingFactory, UserFactory
from tests.interviews.rooms import Tab

pytestmark = pytest.mark.django_db

WEBM = b"\x1a\x45\xdf\xa3" + b"\x01" * 200
OGG = b"OggS" + b"\x02" * 200
MP4 = b"\x00\x00\x00\x20ftypM4A " + b"\x03" * 200
WAV = b"RIFF\x24\x08\x00\x00WAVEfmt " + b"\x04" * 200


@pytest.mark.parametrize(
    ("sound", "content_type"),
    [(WEBM, "audio/webm"), (OGG, "audio/ogg"), (MP4, "audio/mp4"), (WAV, "audio/wav")],
    ids=["webm", "ogg", "mp4", "wav"],
)
def test_recording_is_kept_encrypted_under_what_it_is(sound, content_type):
    tab = Tab(SittingFactory())

    response = tab.record(sound, kind="application/octet-stream")

    assert response.json() == {"size": len(sound)}
    kept = Recording.objects.get()
    assert (bytes(kept.data), kept.size, kept.content_type) == (sound, len(sound), content_type)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM interviews_recording")
        assert sound[:20] not in bytes(cursor.fetchone()[0])


def test_last_take_counts():
    tab = Tab(SittingFactory())
    tab.record(WEBM)

    tab.record(OGG)

    assert bytes(Recording.objects.get().data) == OGG
    assert tab.client.get(tab.room + "?here=1").status_code == 200


def test_spoken_answer_counts_as_answered():
    tab = Tab(SittingFactory(current=2))
    tab.record(WEBM)

    room = tab.client.get(tab.room + "?here=1").context["room"]

    assert room["answer"]["recording"] == len(WEBM)
    assert room["progress"]["answered"] == 1


@pytest.mark.parametrize(
    "sound",
    [
        b"<html>not found</html>",
        b"\x89PNG\r\n\x1a\n" + b"x" * 50,
        b"RIFF\0\0\0\0AVI ",
        b"\0\0\0\x20ftypheic" + b"x" * 50,
        b"12345678WAVE" + b"x" * 50,
        b"O",
        WEBM[1:],
    ],
    ids=["html", "png", "avi", "picture of a phone", "no file at all", "too short", "cut off"],
)
def test_what_is_no_sound_is_refused(sound):
    tab = Tab(SittingFactory())

    response = tab.record(sound)

    assert (response.status_code, response.json()["code"]) == (415, "not_audio")
    assert not Recording.objects.exists()


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_recording_is_as_large_as_it_may_be(more, status, monkeypatch):
    """With a smaller limit than the real one, by the server's own count of what it read."""
    for module in ("services", "views"):
        monkeypatch.setattr(f"interviews.room.{module}.LARGEST_RECORDING", len(WEBM))
    tab = Tab(SittingFactory())

    response = tab.record(WEBM + b"x" * more)

    assert response.status_code == status
    assert response.json().get("code") == (None if status == 200 else "too_large")
    assert Recording.objects.exists() is (status == 200)


def test_real_limit_is_beyond_what_forms_may_hold(settings):
    assert LARGEST_RECORDING > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    tab = Tab(SittingFactory())

    assert tab.record(WEBM + b"x" * 2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE).status_code == 200


@pytest.mark.parametrize(
    ("named", "number", "code"),
    [
        ({"may_record": False}, 2, "no_consent"),
        ({}, 1, "not_spoken"),
        ({"current": 2, "current_seconds": 136}, 2, "time_up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nobody_is_recorded_who_may_not_be(named, number, code):
    tab = Tab(SittingFactory(**named))

    response = tab.record(WEBM, number=number)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["message"]
    assert not Recording.objects.exists()


def test_recording_of_nothing_is_refused():
    response = Tab(SittingFactory()).record(b"")

    assert (response.status_code, response.json()["code"]) == (422, "empty")


def test_consent_counts_as_it_was_last_given():
    sitting = SittingFactory()
    tab = Tab(sitting)

    tab.client.post(tab.room + "enter/")

    assert tab.record(WEBM).json()["code"] == "no_consent"
    assert not Sitting.objects.get().may_record


# --- hearing it at the desk -----------------------------------------------------------------------


@pytest.fixture
def spoken():
    sitting = SittingFactory()
    Tab(sitting).record(WEBM)
    return sitting.answers.get(number=2)


def listen(client, answer, **user):
    """As the member of staff they are made to be, of the interview's department unless told."""
    department = answer.sitting.interview.position.department
    hr = UserFactory(**{"departments": [department], **user})
    client.force_login(hr)
    address = reverse("interviews:listen", args=[answer.sitting.interview.reference, answer.pk])
    return hr, client.post(address)


def test_hr_hears_it_and_that_is_written_down(client, spoken):
    hr, page = listen(client, spoken, recruiter=True)

    assert page.status_code == 200
    heard = client.get(page.context["sound_url"])
    assert heard.content == WEBM
    assert heard["Content-Type"] == "audio/webm"
    assert heard["X-Content-Type-Options"] == "nosniff"
    access = AccessLog.objects.get()
    assert (access.by, access.action) == (hr, "listened")
    assert access.subject == spoken.sitting.interview.subject
    assert access.detail["number"] == 2


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=200-9999", 206, slice(200, None)),
        ("bytes=9999-", 416, None),
        ("bytes=5-2", 416, None),
        ("bytes=-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_players_get_the_piece_they_ask_for(client, spoken, asked, status, part):
    _, page = listen(client, spoken, recruiter=True)

    response = client.get(page.context["sound_url"], headers={"Range": asked})

    assert response.status_code == status
    if part is not None:
        assert response.content == WEBM[part]
    assert AccessLog.objects.count() == 1


@pytest.mark.parametrize(
    ("user", "status"),
    [({"viewer": True}, 403), ({}, 403), ({"recruiter": True, "departments": []}, 404)],
    ids=["may not read what candidates write", "a candidate", "of another department"],
)
def test_nobody_else_hears_it(client, spoken, user, status):
    _, response = listen(client, spoken, **user)

    assert response.status_code == status
    assert not AccessLog.objects.exists()


def test_only_who_was_written_down_hears_it_and_not_for_ever(client, spoken):
    _, page = listen(client, spoken, recruiter=True)
    address = page.context["sound_url"]
    assert client.get(address.partition("?")[0]).status_code == 404
    assert client.get(address + "x").status_code == 404

    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert client.get(address).status_code == 404

    listen(client, SittingFactory().answers.get(number=2), recruiter=True)  # a colleague
    assert client.get(address).status_code == 404


def test_looking_at_the_address_alone_writes_nothing_down(client, spoken):
    _, page = listen(client, spoken, recruiter=True)
    address = page.request["PATH_INFO"]

    assert client.get(address).status_code == 302
    assert AccessLog.objects.count() == 1


def test_desk_shows_each_stay_with_how_it_ended(client, settings):
    settings.LANGUAGE_CODE = "en"
    sitting = SittingFactory()
    sitting.answers.filter(number=1).update(text="I have worked nights")
    Tab(sitting).record(WEBM)
    RoomEvent.objects.create(sitting=sitting, kind="offline")
    RoomEvent.objects.create(sitting=sitting, kind="offline")
    interview = sitting.interview
    hr = UserFactory(recruiter=True, departments=[interview.position.department])
    client.force_login(hr)
    address = reverse("cancellations:desk_interview", args=[interview.reference])

    going_on = client.get(address).content.decode()
    end_sitting(sitting, ending="dropped", at=timezone.now())
    ended = client.get(address).content.decode()

    assert "Going on, the candidate is in the room" in going_on
    assert "Connection lost" in ended
    assert "Line lost (2)" in ended
    assert "2 of 3 questions" in " ".join(ended.split())
    assert "I have worked nights" in ended
    assert "Listen to the recording" in ended


def test_who_may_not_read_what_candidates_write_sees_no_answers(client, settings):
    settings.LANGUAGE_CODE = "en"
    sitting = SittingFactory()
    sitting.answers.filter(number=1).update(text="I have worked nights")
    viewer = UserFactory(viewer=True, departments=[sitting.interview.position.department])
    client.force_login(viewer)

    page = client.get(
        reverse("cancellations:desk_interview", args=[sitting.interview.reference])
    ).content.decode()

    assert "In the room" in page
    assert "I have worked nights" not in page
