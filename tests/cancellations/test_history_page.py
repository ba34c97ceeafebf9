"""History at the desk: who sees what of it, how it is told, and the proof that it holds."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.permissions import Role
from cancellations import company, services
from cancellations.models import Policy, Purpose, Reason, Tier
from config.tracking import act_as
from interviews import history, jobs
from interviews.events import EVENTS
from interviews.models import AccessLog, Job, Position, RemovedInterview
from interviews.seals import seal_history
from notifications.models import Webhook
from tests.database import without_triggers
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

PAGE = reverse("cancellations:history")
VERIFY = reverse("cancellations:verify_history")
EXPORT = reverse("cancellations:export_history")
CONFIGURATION = reverse("cancellations:configuration_history")
EXPORT_CONFIGURATION = reverse("cancellations:export_configuration")
LOOKED_AT = reverse("cancellations:looked_at")
EXPORT_LOOKED_AT = reverse("cancellations:export_looked_at")
REMOVED = reverse("cancellations:removed_interviews")


@pytest.fixture
def department():
    return DepartmentFactory(name="制造部")


@pytest.fixture
def lead(department, client):
    lead = UserFactory(lead=True, name="周莉", departments=[department])
    client.force_login(lead)
    return lead


@pytest.fixture
def elsewhere():
    """What another department's lead sees, and nobody here."""
    department = DepartmentFactory(name="研发部")
    interview = InterviewFactory(
        department=department, candidate__user__name="别人", source="other-ats"
    )
    return interview


def text_of(client, url=PAGE, **asked):
    response = client.get(url, asked)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(client, url=PAGE, **asked):
    return client.get(url, asked).context["rows"]


def tamper(sql, *params):
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(sql, params)


# --- what is told ---------------------------------------------------------------------------------


def test_decision_is_told_with_who_why_and_approver(client, lead, department):
    cancellation = CancellationFactory(
        interview=InterviewFactory(
            department=department,
            status="cancelling",
            starts_in=timedelta(hours=2),
            candidate__user__name="王小明",
        )
    )
    services.approve_cancellation(cancellation.pk, by=lead)

    row = rows_of(client)[0]

    assert (row.what, row.candidate, row.status) == ("Cancelled", "王小明", "cancelled")
    assert (row.who, row.approver) == ("周莉", "周莉")
    assert row.why == cancellation.reason.label_en
    assert row.department == "制造部"


def test_what_the_rule_decides_was_asked_by_the_candidate_and_approved_by_the_rule(
    client, lead, department
):
    interview = InterviewFactory(department=department, starts_in=timedelta(days=5))
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    services.request_cancellation(interview.reference, by=interview.candidate.user, reason=reason)

    cancelled, asked = rows_of(client)[:2]

    assert (cancelled.who, cancelled.approver) == ("Candidate", "The rule")
    assert (asked.who, asked.approver) == ("Candidate", "")
    assert cancelled.why == asked.why == reason.label_en


def test_company_cancelling_and_correction_say_why(client, lead, department):
    interview = InterviewFactory(department=department)
    reason = Reason.objects.filter(purpose=Purpose.COMPANY, needs_detail=False).first()
    company.cancel_for_company(interview.reference, by=lead, reason=reason)
    company.correct_interview(
        interview.reference,
        by=lead,
        move="reinstate",
        expected="cancelled",
        reason="Called off by mistake",
        starts_at=timezone.now() + timedelta(days=2),
    )

    client.force_login(UserFactory(viewer=True, departments=[department]))
    assert "Called off by mistake" not in text_of(client)
    client.force_login(lead)
    corrected = next(row for row in rows_of(client) if row.what == "Status set right by hand")
    cancelled = next(row for row in rows_of(client) if row.what == "Cancelled")

    assert corrected.why == "Called off by mistake"
    assert "before: Cancelled" in corrected.details
    assert (cancelled.why, cancelled.approver) == (reason.label_en, "周莉")


def test_page_speaks_chinese(client, lead, department):
    lead.language = "zh-hans"
    lead.save()
    InterviewFactory(department=department)

    text = text_of(client)

    assert "已预约" in text
    assert "History" not in text


def test_entry_somebody_spoiled_does_not_break_the_page(client, lead, department):
    InterviewFactory(department=department)
    tamper("UPDATE interviews_historyentry SET data = '[1]', actor = 'user:x', event = 'nothing'")

    assert "Nothing" in text_of(client)
    assert client.post(VERIFY).status_code == 200


# --- whose ----------------------------------------------------------------------------------------


def test_nothing_of_another_department_is_anywhere(client, lead, department, elsewhere):
    stranger = UserFactory(recruiter=True, name="外人", departments=[elsewhere.position.department])
    history.record(elsewhere, "opened", by=stranger)
    own = InterviewFactory(department=department)

    response = client.get(PAGE)
    text = response.content.decode()

    assert [row.interview for row in response.context["rows"]] == [own.reference]
    assert response.context["part"].count == 1
    for told in ("研发部", "别人", "外人", "other-ats", elsewhere.reference):
        assert told not in text
    for field, value in (
        ("department", str(elsewhere.position.department.pk)),
        ("position", str(elsewhere.position.pk)),
        ("source", "other-ats"),
        ("actor", f"user:{stranger.pk}"),
    ):
        assert value not in dict(response.context["form"].fields[field].choices)


@pytest.mark.parametrize("filter_by", ["department", "position", "source", "actor"])
def test_asking_for_another_departments_history_narrows_nothing(
    client, lead, department, elsewhere, filter_by
):
    """What is not offered was not understood; it says so."""
    own = InterviewFactory(department=department)
    asked = {
        "department": elsewhere.position.department.pk,
        "position": elsewhere.position.pk,
        "source": "other-ats",
        "actor": "user:99999",
    }[filter_by]

    response = client.get(PAGE, {filter_by: asked})

    assert [row.interview for row in response.context["rows"]] == [own.reference]
    assert filter_by in response.context["form"].errors


def test_another_departments_interview_is_not_there(client, lead, elsewhere):
    assert client.get(PAGE, {"interview": elsewhere.reference}).status_code == 404
    assert client.post(VERIFY, {"query": f"interview={elsewhere.reference}"}).status_code == 404
    assert client.post(EXPORT, {"query": f"interview={elsewhere.reference}"}).status_code == 404


def test_place_of_another_departments_entry_leads_nowhere(client, lead, department, elsewhere):
    InterviewFactory(department=department)

    assert len(rows_of(client, after=f"{elsewhere.reference}-1")) == 1


def test_export_and_verification_keep_to_the_department(client, lead, department, elsewhere):
    own = InterviewFactory(department=department)
    tamper("UPDATE interviews_historyentry SET event = 'x' WHERE interview_id = %s", elsewhere.pk)

    body = b"".join(client.post(EXPORT).streaming_content).decode()
    verified = client.post(VERIFY).context["verified"]

    assert own.reference in body
    assert elsewhere.reference not in body
    assert verified["tally"].interviews == 1
    assert verified["breaks"] == []


def test_history_follows_a_position_to_its_new_department(client, lead, department, elsewhere):
    Position.objects.filter(pk=elsewhere.position.pk).update(department=department)

    assert [row.interview for row in rows_of(client)] == [elsewhere.reference]


def test_administrators_see_every_department(client, elsewhere, department):
    InterviewFactory(department=department)
    client.force_login(UserFactory(administrator=True))

    assert len(rows_of(client)) == 2


# --- filters and pages ----------------------------------------------------------------------------


@pytest.fixture
def story(department):
    """One interview of each kind of thing that history is asked for."""
    hr = UserFactory(recruiter=True, departments=[department])
    old, imported, opened, called = (
        InterviewFactory(department=department, source=source) for source in ("", "ats", "", "")
    )
    history.record(old, "reminded", by=None, at=timezone.now() - timedelta(days=40))
    history.record(opened, "opened", by=opened.candidate.user)
    history.record(called, "cancelled", by=hr)
    return {"old": old, "imported": imported, "opened": opened, "called": called, "hr": hr}


def test_every_filter_narrows(client, lead, story, department):
    def found(**asked):
        return {(row.interview, row.what) for row in rows_of(client, **asked)}

    opened, called = story["opened"], story["called"]
    ago = (timezone.localdate() - timedelta(days=30)).isoformat()
    assert found(until=ago) == {(story["old"].reference, "Reminded")}
    assert (story["old"].reference, "Reminded") not in found(since=ago)
    assert found(source="ats") == {(story["imported"].reference, "Booked")}
    assert found(actor="candidate") == {(opened.reference, "Invitation opened")}
    assert found(actor=f"user:{story['hr'].pk}") == {(called.reference, "Cancelled")}
    assert len(found(actor="system")) == 5
    assert found(event="cancelled") == {(called.reference, "Cancelled")}
    assert found(position=opened.position.pk) == {
        (opened.reference, "Booked"),
        (opened.reference, "Invitation opened"),
    }
    assert len(found(department=department.pk)) == 7
    assert {reference for reference, _what in found(interview=called.reference)} == {
        called.reference
    }


def test_pages_go_on_where_the_last_one_ended(client, lead, department, monkeypatch):
    monkeypatch.setattr("cancellations.views.history.PAGE_SIZE", 3)
    interview = InterviewFactory(department=department)
    at = timezone.now()
    history.record(interview, *(["opened"] * 7), by=None, at=at)  # all at one time

    first = client.get(PAGE)
    second = client.get(PAGE, {"after": first.context["rows"][-1].place})
    third = client.get(PAGE, {"after": second.context["rows"][-1].place})
    back = client.get(PAGE, {"before": third.context["rows"][0].place})

    numbers = [[row.sequence for row in page.context["rows"]] for page in (first, second, third)]
    assert numbers == [[8, 7, 6], [5, 4, 3], [2, 1]]
    assert [row.sequence for row in back.context["rows"]] == [5, 4, 3]
    assert (first.context["part"].newer, third.context["part"].older) == (False, False)
    assert first.context["part"].count == 8


@pytest.mark.parametrize(
    "asked",
    [
        {"after": "x" * 5000},
        {"after": "8Q2M7KX4TB-²"},
        {"before": "8Q2M7KX4TB-99999999999999999999"},
        {"since": "0240-01-01"},
        {"since": "soon", "until": "\x00"},
        {"department": "1e9", "position": "-1", "actor": "\x00", "event": "none"},
        {"kind": "\x00", "page": "x"},
    ],
)
@pytest.mark.parametrize("url", [PAGE, CONFIGURATION, LOOKED_AT])
def test_nonsense_in_the_address_is_said_or_ignored(client, lead, url, asked):
    assert client.get(url, asked).status_code == 200


@pytest.mark.parametrize("url", [VERIFY, EXPORT, EXPORT_CONFIGURATION, EXPORT_LOOKED_AT])
def test_nonsense_sent_is_ignored(client, lead, url):
    assert client.post(url, {"query": "%00&interview=&since=\x00" * 200}).status_code == 200


def test_get_changes_nothing_and_leads_to_the_page(client, lead):
    assert client.get(VERIFY).url == PAGE
    assert client.get(EXPORT).url == PAGE
    assert client.get(EXPORT_CONFIGURATION).url == CONFIGURATION
    assert client.get(EXPORT_LOOKED_AT).url == LOOKED_AT


@pytest.mark.parametrize("rows", [1, 8])
def test_query_count_does_not_grow(client, lead, department, rows, django_assert_num_queries):
    for _ in range(rows):
        interview = InterviewFactory(department=department, source="ats")
        history.record(interview, "opened", by=interview.candidate.user)
        history.record(interview, "opened", by=UserFactory(recruiter=True))
    client.get(PAGE)

    with django_assert_num_queries(9):
        response = client.get(PAGE)

    assert len(response.context["rows"]) == rows * 3


def test_every_event_that_is_recorded_has_words():
    """Found in the source, as services write it down."""
    import re
    from pathlib import Path

    source = "".join(
        path.read_text()
        for app in ("cancellations", "interviews")
        for path in Path(app).glob("*.py")
        if path.name != "demo.py"
    )
    recorded = set(re.findall(r'(?:record\(|_record\(|_go_on\()\s*\w+,\s*\(?"(\w+)"', source))
    assert {"invited", "booked", "cancellation_declined", "work_assigned"} <= recorded
    assert recorded <= EVENTS.keys()


# --- verifying ------------------------------------------------------------------------------------


def test_verifying_says_what_was_checked(client, lead, department):
    for _ in range(2):
        history.record(InterviewFactory(department=department), "opened", by=None)

    response = client.post(VERIFY)

    assert "Nothing was changed" in response.content.decode()
    assert "Checked 2 interviews with 4 entries" in " ".join(response.content.decode().split())


def test_verifying_one_interview_looks_at_no_other(client, lead, department):
    one, other = InterviewFactory.create_batch(2, department=department)
    tamper("UPDATE interviews_historyentry SET event = 'x' WHERE interview_id = %s", other.pk)

    verified = client.post(VERIFY, {"query": f"interview={one.reference}"}).context["verified"]

    assert (verified["tally"].interviews, verified["breaks"]) == (1, [])


def test_break_is_located_on_the_page(client, lead, department):
    interview = InterviewFactory(department=department)
    history.record(interview, "opened", "opened", by=None)
    tamper("DELETE FROM interviews_historyentry WHERE sequence = 2")

    text = client.post(VERIFY).content.decode()

    assert "Somebody changed this history." in text
    assert f"{interview.reference[:5]} {interview.reference[5:]}" in text
    assert "entry 2:" in " ".join(text.split())
    assert "an entry is missing here" in text


def test_very_many_are_verified_in_the_background(client, lead, department, monkeypatch):
    monkeypatch.setattr("cancellations.views.history.AT_ONCE", 1)
    monkeypatch.setattr("interviews.verification.STEP", 2)
    spoiled = InterviewFactory.create_batch(5, department=department)[3]
    InterviewFactory(department=DepartmentFactory())
    tamper("UPDATE interviews_historyentry SET event = 'x' WHERE interview_id = %s", spoiled.pk)
    today = timezone.localdate().isoformat()

    response = client.post(VERIFY, {"query": f"since={today}"})

    job = Job.objects.get()
    assert response.url == reverse("interviews:job", args=[job.reference])
    jobs.run_job(job.pk)
    job = Job.objects.get()
    broken = job.rows.exclude(outcome="held").get()
    checked = sum(row.detail["interviews"] for row in job.rows.filter(outcome="held"))
    assert (job.state, checked) == ("done", 5)
    assert (broken.outcome, broken.subject) == ("altered", f"interview:{spoiled.reference}")
    assert client.get(response.url).status_code == 200


# --- exporting ------------------------------------------------------------------------------------


def test_export_is_the_whole_narrowed_list_and_is_written_down(client, lead, department):
    interview = InterviewFactory(department=department, candidate__user__name="=cmd()")
    history.record(interview, *(["opened"] * 60), by=interview.candidate.user)

    response = client.post(EXPORT, {"query": "actor=candidate"})
    lines = list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))

    assert response.streaming
    assert len(lines) == 61
    assert lines[0][:4] == ["Time", "Interview", "Number", "Candidate"]
    assert lines[1][3] == "'=cmd()"
    assert lines[1][10] == "Candidate"
    log = AccessLog.objects.latest("pk")
    assert (log.by, log.detail["count"], log.detail["list"]) == (lead, 60, "history")


def test_export_is_in_the_readers_language_and_time_zone(client, lead, department):
    lead.language, lead.time_zone = "zh-hans", "America/New_York"
    lead.save()
    interview = InterviewFactory(department=department)
    entry = interview.history.get()

    response = client.post(EXPORT)
    with translation.override("en"):
        body = b"".join(response.streaming_content).decode()

    with timezone.override("America/New_York"):
        assert f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}" in body
    assert "已预约" in body


def test_viewers_read_but_take_nothing_along(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    InterviewFactory(department=department)

    response = client.get(PAGE)

    assert not response.context["exports"]
    assert client.post(EXPORT).status_code == 403
    assert client.get(CONFIGURATION).status_code == 403


# --- configuration --------------------------------------------------------------------------------


def changes_seen(client, **asked):
    return [(row.label, row.title) for row in client.get(CONFIGURATION, asked).context["rows"]]


def test_lead_sees_what_concerns_their_department(client, lead, department, elsewhere):
    there = elsewhere.position.department
    Policy.objects.create(name="Ours", department=department)
    theirs = Policy.objects.create(name="Theirs", department=there)
    Tier.objects.create(policy=theirs, notice_minutes=60, outcome="refused")
    UserFactory(recruiter=True, name="外人", departments=[there])
    colleague = UserFactory(recruiter=True, name="同事", departments=[department])
    colleague.role = Role.HR_LEAD
    colleague.save()

    text = text_of(client, CONFIGURATION)

    assert "Ours" in text
    assert "同事" in text
    for told in ("Theirs", "外人", "研发部"):
        assert told not in text


def test_administrators_see_all_of_it(client, department):
    Policy.objects.create(name="Ours", department=department)
    client.force_login(UserFactory(administrator=True))

    assert ("Added", "Ours") in changes_seen(client)


def test_change_is_told_from_what_to_what(client, lead, department):
    policy = Policy.objects.create(name="Plant", department=department, promised_minutes=15)
    act_as(f"user:{lead.pk}")
    policy.promised_minutes, policy.is_active = 90, False
    policy.category = PositionFactory(department=department).category
    policy.save()

    row = next(row for row in client.get(CONFIGURATION).context["rows"] if row.title == "Plant")

    assert (row.action, row.who) == ("changed", "周莉")
    assert {(line.title, line.before, line.after) for line in row.lines} == {
        ("promised minutes", "15 minutes", "1 hour and 30 minutes"),
        ("switched on", "yes", "no"),
        ("position category", "—", policy.category.name),
    }


def test_tier_is_told_under_its_policy(client, lead, department):
    policy = Policy.objects.create(name="Plant", department=department)
    tier = Tier.objects.create(policy=policy, notice_minutes=1440, outcome="automatic")
    tier.delete()

    removed, added = client.get(CONFIGURATION, {"kind": "cancellations.policy"}).context["rows"][:2]

    assert (removed.label, removed.kind, removed.title) == ("Removed", "tier", "Plant")
    assert ("notice in minutes, at least", "24 hours") in {
        (line.title, line.after) for line in added.lines
    }
    assert "policy" not in {line.title for line in added.lines}


def test_configuration_is_narrowed_by_kind_actor_and_day(client, lead, department):
    act_as(f"user:{lead.pk}")
    Policy.objects.create(name="Plant", department=department)
    act_as("")
    Reason.objects.filter(purpose="cancel", code="other").update(label_en="Else")
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()

    assert changes_seen(client, actor=f"user:{lead.pk}") == [("Added", "Plant")]
    reasons = changes_seen(client, kind="cancellations.reason")
    assert [title for label, title in reasons if label == "Changed"] == ["Else"]
    assert {label for label, _title in reasons} <= {"Changed", "Added"}
    assert changes_seen(client, since=tomorrow) == []


def test_what_no_longer_exists_is_told_by_its_number(client, lead, department):
    Policy.objects.create(name="Plant", department=department)
    tamper("UPDATE accounts_configurationchange SET kind = 'old.model', subject = 'old.model'")

    assert client.get(CONFIGURATION).status_code == 200


@pytest.mark.parametrize("rows", [1, 6])
def test_query_count_of_the_configuration_does_not_grow(client, lead, department, rows):
    for number in range(rows):
        policy = Policy.objects.create(
            name=f"Plant {number}", is_active=False, position=PositionFactory(department=department)
        )
        Tier.objects.create(policy=policy, notice_minutes=60, outcome="automatic")
    client.get(CONFIGURATION)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(CONFIGURATION, {"kind": "cancellations.policy"})

    assert len(queries) <= 13, [each["sql"][:100] for each in queries]


def test_changes_name_what_holds_secrets_without_reading_these(client):
    """Nor is the page gone where one of them cannot be read."""
    hook = Webhook.objects.create(name="ERP", url="https://erp.example/", secret="x")
    client.force_login(UserFactory(administrator=True))
    tamper("UPDATE notifications_webhook SET secret = 'not ours', previous_secret = 'not ours'")

    assert hook.name in text_of(client, CONFIGURATION)


def test_pieces_of_what_was_removed_are_told_under_its_last_name(client, lead, department):
    policy = Policy.objects.create(name="Plant", department=department, is_active=False)
    Tier.objects.create(policy=policy, notice_minutes=60, outcome="automatic")
    policy.delete()

    rows = client.get(CONFIGURATION, {"kind": "cancellations.policy"}).context["rows"][:4]

    assert {(row.label, row.kind, row.title) for row in rows} == {
        (label, kind, "Plant") for label in ("Added", "Removed") for kind in ("policy", "tier")
    }


def test_configuration_is_taken_along_as_a_file(client, lead, department, elsewhere):
    policy = Policy.objects.create(name="=Plant", department=department, promised_minutes=15)
    Policy.objects.create(name="Theirs", department=elsewhere.position.department)
    act_as(f"user:{lead.pk}")
    policy.promised_minutes = 90
    policy.save()

    response = client.post(EXPORT_CONFIGURATION, {"query": "kind=cancellations.policy"})
    lines = list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))

    assert lines[0][:4] == ["Time", "What happened", "Kind", "What was changed"]
    changed = next(line for line in lines if line[1] == "Changed")
    assert changed[2:] == [
        "policy",
        "'=Plant",
        "promised minutes: 15 minutes → 1 hour and 30 minutes",
        "周莉",
    ]
    assert not any("Theirs" in line[3] for line in lines)
    log = AccessLog.objects.get()
    assert (log.by, log.action, log.detail) == (
        lead,
        "exported",
        {
            "list": "configuration",
            "format": "csv",
            "count": len(lines) - 1,
            "filters": {"kind": "cancellations.policy"},
        },
    )


# --- who looked at whom ---------------------------------------------------------------------------


def looked(interview, by, **detail) -> AccessLog:
    return AccessLog.objects.create(
        action="revealed",
        by=by,
        subject=interview.subject,
        detail={"what": ["mobile"], "why": "contact"} | detail,
    )


def took_along(by, **detail) -> AccessLog:
    return AccessLog.objects.create(
        action="exported", by=by, detail={"format": "csv", "count": 3, "filters": {}} | detail
    )


@pytest.fixture
def looks(department, elsewhere, lead):
    """Two looks that concern the lead's department, and two that do not."""
    colleague = UserFactory(recruiter=True, name="同事", departments=[department])
    stranger = UserFactory(recruiter=True, name="外人", departments=[elsewhere.position.department])
    interview = InterviewFactory(department=department, candidate__user__name="王小明")
    return {
        "interview": interview,
        "colleague": colleague,
        "stranger": stranger,
        "ours": [
            looked(interview, stranger),  # whoever looked: it is our interview
            took_along(colleague, filters={"department": str(department.pk)}),
        ],
        "theirs": [looked(elsewhere, stranger), took_along(stranger)],
    }


def test_lead_reads_who_looked_at_candidates_of_their_department(client, lead, looks, department):
    taken, revealed = rows_of(client, LOOKED_AT)

    assert [taken.id, revealed.id] == [each.pk for each in reversed(looks["ours"])]
    assert (revealed.who, revealed.what) == ("外人", "Contact details revealed")
    assert (revealed.candidate, revealed.interview) == ("王小明", looks["interview"].reference)
    assert revealed.details == "Mobile number · To call or write to them"
    assert (taken.who, taken.what) == ("同事", "List exported")
    assert taken.details == "Interviews · CSV · 3 rows · Department: 制造部"
    text = text_of(client, LOOKED_AT)
    assert "别人" not in text
    assert "研发部" not in text


def test_administrators_read_every_look(client, looks):
    client.force_login(UserFactory(administrator=True))

    found = [row.id for row in rows_of(client, LOOKED_AT)]

    assert found == sorted((each.pk for each in looks["ours"] + looks["theirs"]), reverse=True)


@pytest.mark.parametrize("trait", ["recruiter", "viewer"])
def test_others_do_not_read_who_looked(client, department, looks, trait):
    client.force_login(UserFactory(**{trait: True}, departments=[department]))

    assert client.get(LOOKED_AT).status_code == 403
    assert client.post(EXPORT_LOOKED_AT).status_code == 403
    assert "Looked at" not in text_of(client)


def test_looks_are_narrowed_by_person_kind_and_day(client, lead, looks):
    revealed, taken = looks["ours"]
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()

    def found(**asked):
        return [row.id for row in rows_of(client, LOOKED_AT, **asked)]

    assert found(action="revealed") == [revealed.pk]
    assert found(action="exported") == [taken.pk]
    assert found(actor=f"user:{looks['colleague'].pk}") == [taken.pk]
    assert found(actor=f"user:{looks['stranger'].pk}") == [taken.pk, revealed.pk]  # not offered
    assert found(since=tomorrow) == []
    assert len(found(until=tomorrow)) == 2


def test_looks_go_on_where_the_last_page_ended(client, lead, looks, monkeypatch):
    monkeypatch.setattr("cancellations.views.history.PAGE_SIZE", 2)
    made = [each.pk for each in looks["ours"]]
    made += [looked(looks["interview"], lead).pk for _ in range(2)]
    made += [took_along(lead).pk]

    first = client.get(LOOKED_AT)
    second = client.get(LOOKED_AT, {"after": first.context["rows"][-1].id})
    third = client.get(LOOKED_AT, {"after": second.context["rows"][-1].id})
    back = client.get(LOOKED_AT, {"before": third.context["rows"][0].id})

    pages = [[row.id for row in page.context["rows"]] for page in (first, second, third)]
    assert [*pages[0], *pages[1], *pages[2]] == sorted(made, reverse=True)
    assert [row.id for row in back.context["rows"]] == pages[1]
    assert first.context["part"].count == 5
    assert f"after={pages[0][-1]}" in first.text


def test_looks_follow_a_position_to_its_new_department(client, lead, department, elsewhere, looks):
    looked(elsewhere, looks["stranger"])
    Position.objects.filter(pk=elsewhere.position.pk).update(department=department)

    assert {row.interview for row in rows_of(client, LOOKED_AT)} == {
        "",
        looks["interview"].reference,
        elsewhere.reference,
    }


def test_what_an_older_version_wrote_down_is_told_as_far_as_it_goes(client, lead, department):
    interview = InterviewFactory(department=department)
    looked(interview, lead, what=["fax"], why="curiosity")
    took_along(lead, filters=["q", "status"], list="administration", format="xlsx")
    took_along(lead, filters={"recruiter": "7", "late": "True", "found": "search"}, list="gone")
    AccessLog.objects.create(action="revealed", by=lead, subject="interview:GONE", detail={})

    details = [row.details for row in rows_of(client, LOOKED_AT)]

    assert details == [
        "Interviews · CSV · 3 rows · Asked late · Search result · Recruiter: #7",
        "Administration · XLSX · 3 rows · q · Status",
        "fax · curiosity",
    ]


def test_looks_are_taken_along_as_a_file_which_is_a_look_itself(client, lead, looks):
    response = client.post(EXPORT_LOOKED_AT, {"query": "action=revealed"})
    lines = list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))

    assert lines[0] == [
        "Time",
        "By",
        "What happened",
        "Details",
        "Interview",
        "Candidate",
        "Position",
    ]
    ((_time, who, _what, _details, reference, candidate, _position),) = lines[1:]
    assert (who, reference, candidate) == ("外人", looks["interview"].reference, "王小明")
    taken = rows_of(client, LOOKED_AT)[0]
    assert taken.details == "Looked at · CSV · 1 row · What happened: Contact details revealed"


@pytest.mark.parametrize("rows", [1, 8])
def test_query_count_of_looks_does_not_grow(
    client, lead, department, rows, django_assert_num_queries
):
    for _ in range(rows):
        position = PositionFactory(department=department)
        looked(InterviewFactory(position=position), UserFactory(recruiter=True))
        filters = {"position": str(position.pk), "recruiter": str(position.recruiter_id)}
        took_along(lead, filters=filters | {"actor": f"user:{position.recruiter_id}"})
    client.get(LOOKED_AT)

    with django_assert_num_queries(9):
        response = client.get(LOOKED_AT)

    assert len(response.context["rows"]) == rows * 2


# --- removed with an undone import ----------------------------------------------------------------


def test_administrators_find_what_was_removed_with_an_import(client):
    boss = UserFactory(administrator=True, name="郑雪")
    RemovedInterview.objects.create(
        reference="8Q2M7KX4TB", entry=1, event="imported", actor="import", at=timezone.now(),
        data={"source": "old_ats"}, hash="0" * 64, removed_by=boss, removed_at=timezone.now(),
        job="7K2M9QX4TB",
    )  # fmt: skip
    client.force_login(boss)

    text = text_of(client, REMOVED)

    for words in ("8Q2M7 KX4TB", "old_ats", "郑雪", "/desk/jobs/7K2M9QX4TB/"):
        assert words in text, words


def test_leads_do_not_find_what_was_removed(client, lead):
    assert client.get(REMOVED).status_code == 403
    assert REMOVED not in text_of(client)


# --- seals ----------------------------------------------------------------------------------------


def test_administrators_find_the_seals_to_print(client, department):
    InterviewFactory(department=department)
    seal = seal_history()
    client.force_login(UserFactory(administrator=True))

    text = text_of(client, reverse("cancellations:history_seals"))

    assert seal.fingerprint[:4] + " " + seal.fingerprint[4:8] in text


def test_seals_count_every_department_so_leads_do_not_see_them(client, lead):
    assert client.get(reverse("cancellations:history_seals")).status_code == 403
