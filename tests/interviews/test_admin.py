"""The records administrators keep, and what they cannot do to them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from interviews.admin import SlotForm
from interviews.models import Application, HistoryEntry, Interview, Slot
from interviews.services import take_place
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

MADE_HERE = ["department", "positioncategory", "position", "slot", "application"]


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def listing(model: str) -> str:
    app = "candidates" if model == "candidate" else "interviews"
    return reverse(f"admin:{app}_{model}_changelist")


def change(obj) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


@pytest.mark.parametrize("trait", ["recruiter", "lead", "viewer"])
def test_only_administrators_get_in(client, trait):
    client.force_login(UserFactory(**{trait: True}))

    assert client.get(listing("interview"), follow=True).status_code == 403


def test_signing_in_happens_at_the_desk(client):
    response = client.get(listing("interview"), follow=True)

    assert response.redirect_chain[-1][0].startswith(reverse("accounts:desk_sign_in"))


@pytest.mark.parametrize("model", [*MADE_HERE, "interview", "historyentry", "candidate"])
def test_list_query_count_does_not_grow(admin, model):
    counts = []
    for _round in range(2):
        InterviewFactory()
        with CaptureQueriesContext(connection) as captured:
            response = admin.get(listing(model))
        assert response.status_code == 200
        counts.append(len(captured))
        InterviewFactory.create_batch(2)

    assert counts[0] == counts[1]


@pytest.mark.parametrize("model", MADE_HERE)
def test_form_for_a_new_one_opens(admin, model):
    assert admin.get(reverse(f"admin:interviews_{model}_add")).status_code == 200


def test_every_form_opens(admin):
    interview = InterviewFactory()
    application = interview.application
    for obj in (
        interview,
        interview.history.get(),
        interview.slot,
        application,
        application.candidate,
        application.position,
        application.position.department,
        application.position.category,
    ):
        assert admin.get(change(obj)).status_code == 200, obj


def test_interviews_are_found_by_reference_name_and_whole_number(admin):
    wanted = InterviewFactory(
        candidate=CandidateFactory(
            user__name="孙悦",
            user__mobile="+8613912345678",
            user__national_id="11010519491231002X",
        )
    )
    InterviewFactory()

    for typed in (wanted.reference, "孙悦", "139 1234 5678", "11010519491231002x"):
        found = admin.get(listing("interview"), {"q": typed}).context["cl"].queryset
        assert list(found) == [wanted], typed
    assert not admin.get(listing("interview"), {"q": "139123"}).context["cl"].queryset.exists()


def test_national_id_is_shown_nowhere(admin):
    number = "11010519491231002X"
    interview = InterviewFactory(candidate=CandidateFactory(user__national_id=number))

    for address in (
        listing("interview"),
        listing("candidate"),
        change(interview),
        change(interview.candidate),
        change(interview.application),
    ):
        assert number not in admin.get(address).text


def test_interview_status_and_slot_cannot_be_set_by_hand(admin):
    interview = InterviewFactory()

    response = admin.post(
        change(interview),
        {
            "status": "completed",
            "slot": "",
            "link": "https://interview.example/other",
            "location": "",
            "history-TOTAL_FORMS": 0,
            "history-INITIAL_FORMS": 0,
        },
    )

    assert response.status_code == 302
    fresh = Interview.objects.get(pk=interview.pk)
    assert fresh.link == "https://interview.example/other"
    assert (fresh.status, fresh.slot_id) == (interview.status, interview.slot_id)


def test_interviews_and_history_are_neither_added_nor_deleted(admin):
    interview = InterviewFactory()
    entry = interview.history.get()

    for obj in (interview, entry, interview.application, interview.candidate):
        options = obj._meta
        name = f"admin:{options.app_label}_{options.model_name}"
        assert admin.post(reverse(f"{name}_delete", args=[obj.pk])).status_code == 403
    for model in ("interview", "historyentry"):
        assert admin.get(reverse(f"admin:interviews_{model}_add")).status_code == 403
    assert admin.post(change(entry), {"event": "booked"}).status_code == 403
    assert HistoryEntry.objects.filter(pk=entry.pk).exists()


def slot_form(slot: Slot, **fields) -> dict[str, object]:
    start, end = timezone.localtime(slot.starts_at), timezone.localtime(slot.ends_at)
    return {
        "position": slot.position_id,
        "kind": slot.kind,
        "starts_at_0": f"{start:%Y-%m-%d}",
        "starts_at_1": f"{start:%H:%M}",
        "ends_at_0": f"{end:%Y-%m-%d}",
        "ends_at_1": f"{end:%H:%M}",
        "capacity": slot.capacity,
        **fields,
    }


def test_slot_never_becomes_smaller_than_what_is_booked(admin):
    slot = SlotFactory(capacity=3, booked=2)

    response = admin.post(change(slot), {"capacity": 1})

    assert "2 places are booked already" in response.text
    assert Slot.objects.get(pk=slot.pk).capacity == 3


def test_slot_keeps_what_was_booked_while_it_was_being_saved(admin, monkeypatch):
    slot = SlotFactory(capacity=3)
    validate = SlotForm.clean

    def somebody_books_meanwhile(form):
        take_place(slot)
        return validate(form)

    monkeypatch.setattr(SlotForm, "clean", somebody_books_meanwhile)
    admin.post(change(slot), slot_form(slot, capacity=5))

    fresh = Slot.objects.get(pk=slot.pk)
    assert (fresh.capacity, fresh.booked) == (5, 1)


def test_booked_slot_stays_at_its_time(admin):
    slot = SlotFactory(booked=1)
    later = timezone.now() + timedelta(days=30)

    admin.post(change(slot), slot_form(slot, starts_at_0=f"{later:%Y-%m-%d}"))

    assert Slot.objects.get(pk=slot.pk).starts_at == slot.starts_at


def test_slot_ends_after_it_starts(admin):
    slot = SlotFactory()

    response = admin.post(change(slot), slot_form(slot, ends_at_0="2020-01-01"))

    assert "It has to end after it starts." in response.text


def test_slot_can_be_made(admin):
    like = SlotFactory.build(position=PositionFactory())

    response = admin.post(reverse("admin:interviews_slot_add"), slot_form(like))

    assert response.status_code == 302
    assert Slot.objects.get().booked == 0


def test_department_offers_staff_only(admin):
    candidate = CandidateFactory().user
    recruiter = UserFactory(recruiter=True)
    department = DepartmentFactory()

    form = admin.get(change(department)).context["adminform"].form

    assert recruiter in form.fields["staff"].queryset
    assert candidate not in form.fields["staff"].queryset


def test_code_of_a_department_never_changes(admin):
    department = DepartmentFactory(code="assembly")

    admin.post(change(department), {"code": "other", "name": "Assembly", "email": ""})

    department.refresh_from_db()
    assert (department.code, department.name) == ("assembly", "Assembly")


def test_position_in_use_is_not_deleted(admin):
    application = ApplicationFactory()
    name = "admin:interviews_position_delete"

    response = admin.post(reverse(name, args=[application.position_id]), {"post": "yes"})

    assert response.status_code == 403 or "Cannot delete" in response.text
    assert Application.objects.filter(pk=application.pk).exists()
