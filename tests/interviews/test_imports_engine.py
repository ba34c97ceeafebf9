"""Bringing files in: what is created, matched or rejected; and that twice adds nothing."""

import io
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone, translation

from accounts import crypto
from accounts.models import User
from candidates.models import Candidate
from interviews import history
from interviews.imports import mapping, store, template
from interviews.imports.engine import import_file
from interviews.imports.problems import ImportRefused, Rejection
from interviews.models import Application, Department, HistoryEntry, Interview, Position
from interviews.signals import history_recorded
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    DepartmentFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ID_NUMBER = "11010519491231002X"
ROW = {
    "number": "A-1",
    "name": "张三",
    "mobile": "13900000001",
    "department": "制造部",
    "position": "装配技术员",
    "status": "已完成",
    "starts_at": "2026-05-09 14:00",
}


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _afterwards(time_machine):
    time_machine.move_to(datetime(2026, 6, 1, tzinfo=UTC), tick=False)


def table(*rows):
    """A filled-in template, as bytes."""
    columns = {n: c.titles[0] for n, c in mapping.load("template").fields.items() if c.titles}
    lines = [",".join(columns.values())]
    lines += [",".join({**ROW, **row}.get(name, "") for name in columns) for row in rows]
    return "\n".join(lines).encode()


def run(*rows, data=None, **options):
    """The summary as (imported, known, rejected), and the rejections."""
    rejections = []

    def seen(line, cells, outcome):
        if isinstance(outcome, Rejection):
            rejections.append(outcome)

    summary = import_file(
        io.BytesIO(data or table(*rows)), mapping.load("template"), on_row=seen, **options
    )
    return (summary.imported, summary.known, summary.rejected), rejections


def test_row_becomes_an_interview_with_everything_around_it():
    recruiter = UserFactory(recruiter=True)

    counts, _ = run(
        {
            "national_id": ID_NUMBER.lower(),
            "email": "Zhang@Mail.example",
            "city": "深圳",
            "category": "一线",
            "recruiter": recruiter.email,
            "kind": "现场面试",
            "location": "深圳市龙华区",
            "link": "https://interview.example/room",
            "minutes": "45",
            "applied_at": "2026-05-01",
        }
    )

    assert counts == (1, 0, 0)
    interview = Interview.objects.with_facts().get()
    assert (interview.status, interview.kind) == ("completed", "on_site")
    assert interview.starts_at == datetime(2026, 5, 9, 6, 0, tzinfo=UTC)
    assert interview.ends_at == interview.ended_at == datetime(2026, 5, 9, 6, 45, tzinfo=UTC)
    assert (interview.location, interview.link) == (
        "深圳市龙华区",
        "https://interview.example/room",
    )
    assert (interview.source, interview.source_key) == ("template", "A-1")
    assert interview.created_at == timezone.now()
    user = interview.candidate.user
    assert (user.name, user.mobile, user.email) == ("张三", "+8613900000001", "zhang@mail.example")
    assert user.national_id == ID_NUMBER
    assert user.national_id_index == crypto.blind_index(ID_NUMBER)
    assert not user.has_usable_password()
    assert interview.candidate.city == "深圳"
    position = interview.position
    assert (position.title, position.department.name, position.category.name) == (
        "装配技术员",
        "制造部",
        "一线",
    )
    assert position.recruiter == recruiter
    assert interview.application.applied_at == datetime(2026, 4, 30, 16, 0, tzinfo=UTC)


def test_national_id_is_ciphertext_in_the_database():
    run({"national_id": ID_NUMBER})
    with connection.cursor() as cursor:
        cursor.execute("SELECT national_id FROM accounts_user")
        (stored,) = cursor.fetchone()
    assert ID_NUMBER not in stored
    assert crypto.decrypt(stored) == ID_NUMBER


def test_each_interview_gets_one_entry_of_sound_history():
    staff = UserFactory(administrator=True)
    run({}, {"number": "A-2"}, by=staff)
    entries = HistoryEntry.objects.all()
    assert [(e.event, e.actor, e.sequence) for e in entries] == [("imported", "import", 1)] * 2
    assert entries[0].data == {
        "source": "template",
        "status": "completed",
        "by": f"user:{staff.pk}",
    }
    assert not list(history.verify(Interview.objects.all()))


def test_other_apps_hear_of_each_entry():
    heard = []

    def hear(entries, **kwargs):
        heard.extend((entry.event, entry.interview.reference) for entry in entries)

    history_recorded.connect(hear)
    try:
        run({}, {"number": "A-2"})
    finally:
        history_recorded.disconnect(hear)
    assert sorted(heard) == sorted(("imported", one.reference) for one in Interview.objects.all())


def test_second_run_adds_nothing_and_says_so():
    rows = [{}, {"number": "A-2", "mobile": "13900000002", "name": "李四"}]
    assert run(*rows)[0] == (2, 0, 0)
    before = counts()
    assert run(*rows)[0] == (0, 2, 0)
    assert counts() == before


def test_dry_run_does_everything_and_keeps_nothing():
    assert run({}, {"number": ""}, dry_run=True)[0] == (1, 0, 1)
    assert counts() == (0, 0, 0, 0, 0, 0)


def counts():
    models = (User, Candidate, Department, Position, Application, Interview)
    return tuple(model.objects.count() for model in models)


def test_one_person_is_created_once_however_often_named():
    run({}, {"number": "A-2", "position": "质检员"}, {"number": "A-3"})
    assert counts() == (1, 1, 1, 2, 2, 3)


def test_one_person_is_found_again_in_a_later_file():
    run({"national_id": ID_NUMBER})
    run({"number": "B-1", "mobile": "", "national_id": ID_NUMBER})
    run({"number": "B-2"})
    assert counts() == (1, 1, 1, 1, 1, 3)


def test_what_is_there_already_is_matched_and_not_changed():
    department = DepartmentFactory(name="制造部", code="zz")
    position = PositionFactory(title="装配技术员", department=department, city="成都")
    candidate = CandidateFactory(user__name="张三", user__mobile="+8613900000001", city="郑州")
    application = ApplicationFactory(candidate=candidate, position=position)

    run({"city": "深圳", "email": "new@mail.example"})

    assert Interview.objects.get().application == application
    candidate.refresh_from_db()
    position.refresh_from_db()
    assert (candidate.city, candidate.user.email, position.city) == ("郑州", None, "成都")


def test_account_without_candidate_gets_one():
    user = UserFactory(name="张三", mobile="+8613900000001")
    run({})
    assert user.candidate == Interview.objects.get().application.candidate


@pytest.mark.parametrize(
    ("wrong", "column", "words"),
    [
        ({"number": ""}, "面试编号 Interview number", "must not be empty"),
        ({"name": ""}, "姓名 Name", "must not be empty"),
        ({"mobile": "12345"}, "手机号 Mobile number", "mobile number"),
        ({"mobile": "1.39E+10"}, "手机号 Mobile number", "mobile number"),
        ({"national_id": "110105194912310021"}, "身份证号 ID number", "ID number"),
        ({"email": "nobody"}, "邮箱 Email", "email"),
        ({"status": "finished?"}, "状态 Status", "not known"),
        ({"status": "booked", "starts_at": ""}, "开始时间 Starts", "must not be empty"),
        ({"starts_at": "May"}, "开始时间 Starts", "not a date"),
        ({"minutes": "half an hour"}, "时长（分钟） Minutes", "minutes"),
        ({"minutes": "99999"}, "时长（分钟） Minutes", "minutes"),
        ({"minutes": "1441"}, "时长（分钟） Minutes", "minutes"),
        ({"minutes": "00144000000000000"}, "时长（分钟） Minutes", "minutes"),
        ({"minutes": "9" * 5000}, "时长（分钟） Minutes", "minutes"),
        ({"link": "javascript:alert(1)"}, "链接 Link", "https"),
        (
            {"recruiter": "nobody@company.example"},
            "招聘专员邮箱 Recruiter email",
            "member of staff",
        ),
        ({"starts_at": "2026-07-01 09:00"}, "状态 Status; 开始时间 Starts", "has not begun"),
        ({"status": "已预约"}, "状态 Status; 开始时间 Starts", "is past"),
        ({"position": "很" * 201}, "岗位 Position", "too long"),
    ],
)
def test_bad_row_is_rejected_with_line_column_and_what_to_do(wrong, column, words):
    counts, (rejection,) = run({"number": "A-0", "name": "李四", "mobile": "13900000009"}, wrong)
    assert counts == (1, 0, 1)
    assert (rejection.line, rejection.columns) == (3, column)
    assert words in rejection.message
    assert not User.objects.filter(name="张三").exists()


def test_bad_row_leaves_no_department_behind():
    run({"department": "Typo", "recruiter": "nobody@company.example"})
    assert not Department.objects.exists()


def test_same_interview_twice_in_a_file_is_pointed_at():
    counts, (rejection,) = run({}, {"number": "A-2"}, {})
    assert counts == (2, 0, 1)
    assert (rejection.line, rejection.values) == (4, "A-1")
    assert "Line 2" in rejection.message


def test_number_of_a_member_of_staff_is_no_candidate():
    UserFactory(staff=True, mobile="+8613900000001", name="张三")
    UserFactory(recruiter=True, mobile="+8613900000002", name="张三")
    counts, (rejection,) = run({"mobile": "13900000002"})
    assert counts == (0, 0, 1)
    assert "member of staff" in rejection.message


def test_number_of_somebody_else_is_rejected_without_naming_them():
    CandidateFactory(user__name="王五", user__mobile="+8613900000001")
    _, (rejection,) = run({})
    assert "another name" in rejection.message
    assert "王五" not in rejection.message + rejection.values


def test_numbers_of_two_people_are_rejected():
    CandidateFactory(user__name="张三", user__mobile="+8613900000001")
    CandidateFactory(user__name="张三", user__mobile="+8613900000002", user__email="z@mail.example")
    _, (rejection,) = run({"email": "z@mail.example"})
    assert "different people" in rejection.message


def test_later_batches_know_of_earlier_ones(monkeypatch):
    monkeypatch.setattr("interviews.imports.engine.BATCH", 2)
    rows = [{"number": f"A-{n}", "position": f"岗位{n % 2}"} for n in range(7)]
    counts_, (rejection,) = run(*rows, {"number": "A-0"})
    assert counts_ == (7, 0, 1)
    assert "Line 2" in rejection.message
    assert counts() == (1, 1, 1, 2, 2, 7)


def test_file_that_turns_unreadable_later_imports_nothing(monkeypatch):
    monkeypatch.setattr("interviews.imports.engine.BATCH", 1)
    data = table({}, {"number": "A-2"}) + b"\n\x00\n"
    with pytest.raises(ImportRefused, match="Line 4"):
        run(data=data)
    assert counts() == (0, 0, 0, 0, 0, 0)


def test_invitation_needs_no_time_but_keeps_its_deadline():
    run({"status": "待预约", "starts_at": "", "deadline": "2026-06-09 18:00"})
    interview = Interview.objects.get()
    assert (interview.status, interview.starts_at) == ("invited", None)
    assert interview.deadline == datetime(2026, 6, 9, 10, 0, tzinfo=UTC)


def test_booking_ahead_is_imported_and_still_known_when_it_is_past(time_machine):
    rows = [{"status": "已预约", "starts_at": "2026-06-02 09:00"}]
    assert run(*rows)[0] == (1, 0, 0)
    time_machine.shift(timedelta(days=30))
    assert run(*rows)[0] == (0, 1, 0)


@pytest.mark.parametrize("rows", [1, 50])
def test_query_count_does_not_grow_with_rows(rows, django_assert_max_num_queries):
    people = [
        {
            "number": f"A-{n}",
            "mobile": f"139{n:08d}",
            "name": f"人{n}",
            "email": f"p{n}@mail.example",
        }
        for n in range(rows)
    ]
    with django_assert_max_num_queries(40):
        assert run(*people)[0] == (rows, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_somebody_else_adding_the_same_person_meanwhile_is_met_by_a_second_try(monkeypatch):
    real, calls = store.copy_in, []

    def copy_in(model, rows):
        if model is User and not calls:
            calls.append(1)

            def interfere():
                UserFactory(name="张三", mobile="+8613900000001")
                connection.close()

            other = Thread(target=interfere)
            other.start()
            other.join()
        return real(model, rows)

    monkeypatch.setattr(store, "copy_in", copy_in)
    assert run({})[0] == (1, 0, 0)
    assert User.objects.get(mobile="+8613900000001").candidate


def test_template_files_are_accepted_as_they_are():
    for data in (template.as_csv(), template.as_xlsx()):
        with transaction.atomic():
            assert run(data=data)[0] == (0, 0, 0)
