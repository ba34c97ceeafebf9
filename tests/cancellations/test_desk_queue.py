"""The queue: every late request is work, work belongs to somebody, and nothing waits unseen."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from cancellations import queue, services, tasks, work
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from interviews.models import HistoryEntry, Interview
from interviews.states import InterviewStatus
from notifications import tasks as notification_tasks
from notifications.models import Channel, Notification, WorkItem, WorkKind
from notifications.work import TakenMeanwhile
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
    WorkItemFactory,
)

pytestmark = pytest.mark.django_db

QUEUE = "/desk/"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
POLL = {"HX-Request": "true"}
STANDS = re.compile(r'id="stands"\s+value="([^"]*)"')


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


@pytest.fixture
def desk(client, lead):
    client.force_login(lead)
    return client


def late_request(department, *, starts_in=timedelta(hours=2), **fields) -> Cancellation:
    interview = InterviewFactory(
        department=department, status=InterviewStatus.CANCELLING, starts_in=starts_in
    )
    return CancellationFactory(interview=interview, **fields)


def ask(interview, by=None) -> Cancellation:
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="unwell")
    return services.request_cancellation(
        interview.reference, by=by or interview.candidate.user, reason=reason
    )[0]


def item_of(cancellation) -> WorkItem:
    return WorkItem.objects.get(params__receipt=cancellation.reference)


def follow_up(department, **fields) -> WorkItem:
    return WorkItemFactory(interview=InterviewFactory(department=department), **fields)


def url(name: str, thing) -> str:
    return reverse(f"cancellations:{name}", args=[thing.reference])


def keys(response) -> list[str]:
    return [case.key for case in response.context["page"].entries]


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- work comes with the request and goes with its decision --------------------------------------


def test_late_request_is_work_from_the_moment_it_is_made(department):
    with time_machine.travel(NOW, tick=False):
        cancellation = ask(InterviewFactory(department=department, starts_in=timedelta(hours=5)))

    item = item_of(cancellation)
    assert (item.kind, item.audience) == (WorkKind.CANCELLATION, department.audience)
    assert item.subject == cancellation.interview.subject
    assert item.opened_at == NOW
    assert item.due_at == cancellation.decide_by == NOW + timedelta(hours=4, minutes=30)
    assert item.remind_at == cancellation.promised_by == NOW + timedelta(minutes=15)
    assert item.escalate_at == NOW + timedelta(minutes=30)


def test_work_goes_where_its_position_goes(client, department, lead):
    cancellation = late_request(department)
    settled = WorkItemFactory(interview=cancellation.interview, closed_at=timezone.now())
    elsewhere = DepartmentFactory()
    position = cancellation.interview.position

    position.department = elsewhere
    position.save()

    client.force_login(UserFactory(lead=True, departments=[elsewhere]))
    assert keys(client.get(QUEUE)) == [cancellation.reference]
    client.force_login(lead)
    assert keys(client.get(QUEUE)) == []
    assert WorkItem.objects.get(pk=settled.pk).audience == department.audience


def test_automatic_cancellation_is_nobodys_work(department):
    ask(InterviewFactory(department=department, starts_in=timedelta(days=3)))

    assert not WorkItem.objects.exists()


@pytest.mark.parametrize(
    ("promised", "left", "remind", "escalate"),
    [
        (15, 270, 15, 30),
        (15, 40, 15, 27.5),  # half-way to the default
        (15, 15, 7.5, 11.25),  # promised only for when the default decides
        (30, 10, 5, 7.5),
    ],
)
def test_both_steps_come_before_the_default(promised, left, remind, escalate):
    cancellation = Cancellation(
        requested_at=NOW,
        decide_by=NOW + timedelta(minutes=left),
        policy={"promised_minutes": promised},
    )

    assert work.chase_at(cancellation) == (
        NOW + timedelta(minutes=remind),
        NOW + timedelta(minutes=escalate),
    )


@pytest.mark.parametrize("how", ["approve", "decline", "take_back", "default", "company"])
def test_whatever_settles_a_request_settles_its_work(department, lead, how):
    cancellation = late_request(department)
    elsewhere = follow_up(department)
    candidate = cancellation.requested_by
    closed_by = lead
    match how:
        case "approve":
            services.approve_cancellation(cancellation.pk, by=lead)
        case "decline":
            services.decline_cancellation(cancellation.pk, by=lead)
        case "take_back":
            services.take_back_cancellation(cancellation.reference, by=candidate)
            closed_by = candidate
        case "default":
            Cancellation.objects.filter(pk=cancellation.pk).update(decide_by=timezone.now())
            services.apply_default(cancellation.pk)
            closed_by = None
        case "company":
            from cancellations.company import cancel_for_company

            reason = Reason.objects.filter(purpose=Purpose.COMPANY, needs_detail=False).first()
            cancel_for_company(cancellation.interview.reference, by=lead, reason=reason)

    item = item_of(cancellation)
    assert item.closed_at is not None
    assert item.closed_by == (f"user:{closed_by.pk}" if closed_by else "system")
    assert WorkItem.objects.open().get() == elsewhere


def test_refused_decision_leaves_the_work_open(department, lead):
    """Both in one transaction."""
    cancellation = late_request(department, requested_by=lead)

    with pytest.raises(PermissionDenied):
        services.approve_cancellation(cancellation.pk, by=lead)

    assert item_of(cancellation).closed_at is None


def test_requests_that_waited_before_get_their_work():
    from importlib import import_module

    from django.apps import apps

    waiting, decided = CancellationFactory(), CancellationFactory(approved=True)
    WorkItem.objects.all().delete()
    migration = import_module("cancellations.migrations.0011_requests_are_work")

    for _twice in range(2):
        migration.open_items(apps, None)

    item = WorkItem.objects.get()
    assert item == item_of(waiting)
    assert (item.due_at, item.remind_at) == (waiting.decide_by, waiting.promised_by)
    assert item.audience == waiting.interview.position.department.audience
    assert decided.interview.subject != item.subject


# --- whose it is ----------------------------------------------------------------------------------


def test_queue_holds_the_departments_work_in_order_of_its_time(desk, department):
    second = late_request(department, starts_in=timedelta(hours=3))
    first = follow_up(department, due_at=timezone.now() + timedelta(minutes=5))
    third = follow_up(department, due_at=timezone.now() + timedelta(hours=9))
    late_request(DepartmentFactory())
    follow_up(DepartmentFactory())

    assert keys(desk.get(QUEUE)) == [first.reference, second.reference, third.reference]


def test_nothing_of_another_department_is_there(desk):
    elsewhere = DepartmentFactory()
    item, request = follow_up(elsewhere), late_request(elsewhere)

    response = desk.get(QUEUE, {"department": str(elsewhere.pk)})

    assert keys(response) == []
    assert elsewhere.name not in response.text
    assert queue.waiting(response.wsgi_request.user) == 0
    for address in (url("work_item", item), url("work_item", item_of(request))):
        assert desk.get(address).status_code == 404
    for name in ("assign", "resolve"):
        assert desk.post(url(name, item), {"note": "Done", "to": ""}).status_code == 404
    chosen = {"action": "approve", "receipt": request.reference}
    assert request.interview.candidate.user.name not in desk.get("/desk/several/", chosen).text
    assert desk.post("/desk/several/", chosen).status_code == 302
    assert Cancellation.objects.get(pk=request.pk).status == CancellationStatus.REQUESTED


def test_administrator_sees_the_work_of_all(client):
    client.force_login(UserFactory(administrator=True))
    follow_up(DepartmentFactory())
    late_request(DepartmentFactory())

    assert len(keys(client.get(QUEUE))) == 2


def test_viewer_sees_and_acts_on_nothing(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    item, request = follow_up(department), late_request(department)

    page = client.get(url("work_item", item))

    assert page.status_code == 200
    assert 'method="post"' not in page.text.partition('id="case-title"')[2]
    assert 'type="checkbox"' not in page.text
    assert client.post(url("assign", item), {"to": ""}).status_code == 403
    assert client.post(url("resolve", item), {"note": "Done"}).status_code == 403
    chosen = {"action": "approve", "receipt": request.reference}
    assert client.post("/desk/several/", chosen).status_code == 403


def test_filters_narrow_and_stand_in_the_address(desk, department, lead, recruiter):
    other = DepartmentFactory()
    lead.departments.add(other)
    mine = follow_up(department, assignee=f"user:{lead.pk}")
    theirs = follow_up(department, kind="anomaly", assignee=f"user:{recruiter.pk}")
    nobodys = late_request(other)

    def narrowed(**query) -> set[str]:
        return set(keys(desk.get(QUEUE, query)))

    assert narrowed(assignee="me") == {mine.reference}
    assert narrowed(assignee="somebody") == {mine.reference, theirs.reference}
    assert narrowed(assignee="nobody") == {nobodys.reference}
    assert narrowed(kind="anomaly") == {theirs.reference}
    assert narrowed(department=str(other.pk)) == {nobodys.reference}
    assert narrowed(kind="follow_up", assignee="me", department=str(department.pk)) == {
        mine.reference
    }
    for nonsense in ("\x00", "-1", "user:", "user:0", "user:x", "x" * 5000, "99999999999999999999"):
        assert len(narrowed(kind=nonsense, assignee=nonsense, department=nonsense)) == 3


def test_lead_sees_what_each_colleague_holds(desk, department, lead, recruiter):
    elsewhere = UserFactory(recruiter=True, departments=[DepartmentFactory()])
    others = [
        UserFactory(viewer=True, departments=[department]),
        UserFactory(recruiter=True, departments=[department], is_active=False),
        elsewhere,
    ]
    theirs = follow_up(department, assignee=f"user:{recruiter.pk}")
    follow_up(department, assignee=f"user:{lead.pk}")
    follow_up(department, assignee=f"user:{elsewhere.pk}")
    query = f"assignee=user%3A{recruiter.pk}"

    page = desk.get(f"{QUEUE}?{query}&kind=follow_up")

    assert keys(page) == [theirs.reference]
    chips = {chip.value: chip.without for chip in page.context["narrowing"].chips()}
    assert chips == {recruiter.name: "kind=follow_up", "Follow-up": query}
    assert f'<option value="user:{recruiter.pk}" selected>{recruiter.name}</option>' in page.text
    assert f'href="{url("work_item", theirs)}?kind=follow_up&amp;{query}"' in page.text
    assert keys(desk.get(page.context["list_url"], headers=POLL)) == [theirs.reference]
    for other in others:
        assert f'<option value="user:{other.pk}"' not in page.text
        assert len(keys(desk.get(QUEUE, {"assignee": f"user:{other.pk}"}))) == 3


def test_filter_goes_along_and_each_part_of_it_can_be_dropped(desk, department):
    item = follow_up(department)

    page = desk.get(QUEUE, {"kind": "follow_up", "assignee": "nobody"})

    query = "kind=follow_up&amp;assignee=nobody"
    for address in (url("work_item", item), url("assign", item), url("resolve", item)):
        assert f'"{address}?{query}"' in page.text
    assert f'href="{QUEUE}?kind=follow_up"' in page.text
    assert f'href="{QUEUE}?assignee=nobody"' in page.text
    answer = desk.post(f"{url('assign', item)}?kind=follow_up", {"to": ""})
    assert answer.url == f"{url('work_item', item)}?kind=follow_up"


@pytest.fixture
def second_page(department):
    """Two requests on the queue's second page, behind thirty follow-ups."""
    soon = timezone.now() + timedelta(minutes=1)
    for _number in range(queue.LINES):
        follow_up(department, due_at=soon)
    return [late_request(department, starts_in=timedelta(hours=hours)) for hours in (2, 3)]


def test_second_page_stays_the_second_page(desk, department, lead, second_page):
    first, second = second_page
    query = "?page=2"

    page = desk.get(QUEUE + query)
    assert keys(page) == [first.reference, second.reference]
    for name, thing in [
        ("case", first),
        ("case", second),
        ("assign", item_of(first)),
        ("approve", first),
        ("decline", first),
    ]:
        assert f'"{url(name, thing)}{query}"' in page.text
    assert page.context["list_url"] == url("case", first) + query
    assert '<input type="hidden" name="page" value="2">' in page.text

    case = desk.get(url("case", second) + query)
    assert keys(case) == keys(page)
    assert f'href="{QUEUE}{query}"' in case.text  # the way back to the whole queue
    claimed = desk.post(url("assign", item_of(second)) + query, {"to": str(lead.pk)})
    assert claimed.url == url("work_item", item_of(second)) + query
    assert desk.get(claimed.url).url == url("case", second) + query
    several_of = f"/desk/several/{query}&action=approve&receipt={first.reference}"
    assert f'href="{QUEUE}{query}&amp;receipt={first.reference}"' in desk.get(several_of).text


def test_decision_on_the_second_page_goes_on_there_until_it_is_done(desk, second_page):
    first, second = second_page
    query = "?page=2"

    assert desk.post(url("decline", first) + query).url == url("case", second) + query
    beginning = desk.post(url("decline", second) + query).url
    assert beginning.startswith("/desk/work/")
    assert "page" not in beginning


def test_names_and_titles_are_text(desk, department):
    """The lines are put together without a template, which would escape them by itself."""
    hostile = '"><b>x</b>&amp;'
    holder = UserFactory(lead=True, departments=[department], name=hostile)
    asked = late_request(department)
    interview = asked.interview
    for thing, field in [(interview.candidate.user, "name"), (interview.position, "title")]:
        setattr(thing, field, hostile)
        thing.save()
    WorkItem.objects.update(assignee=f"user:{holder.pk}")

    for address in (QUEUE, "/desk/interviews/"):
        page = desk.get(address).text
        assert "<b>x</b>" not in page
        assert "&lt;b&gt;x&lt;/b&gt;&amp;amp;" in page


def test_empty_queue_says_why(desk, department):
    assert "Nothing is waiting" in desk.get(QUEUE).text
    follow_up(department)
    assert "Nothing in the queue matches" in desk.get(QUEUE, {"kind": "anomaly"}).text


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("trait", ["lead", "administrator"])
def test_query_count_does_not_grow(
    client, department, recruiter, rows, trait, django_assert_num_queries
):
    """With everything a page may hold: each kind, taken on and not, waiting and settled."""
    client.force_login(UserFactory(**{trait: True}, departments=[department]))
    for _number in range(rows):
        late_request(department)
        follow_up(department, assignee=f"user:{recruiter.pk}")
        follow_up(department, kind="anomaly", closed_at=timezone.now(), closed_by="user:1")
        CancellationFactory(
            approved=True, interview__department=department, decided_at=timezone.now()
        )
    shown = late_request(department)

    with django_assert_num_queries(12):
        response = client.get(QUEUE)
    with django_assert_num_queries(13):
        client.get(url("case", shown))
    with django_assert_num_queries(9):
        client.get(QUEUE, {"assignee": f"user:{recruiter.pk}"}, headers=POLL)

    assert len(response.context["page"].entries) == 2 * rows + 1
    assert len(response.context["done"]) == 2 * rows


def test_every_filter_uses_an_index(department, lead):
    """Of many items, most of them settled long ago."""
    item = follow_up(department)
    rows = [
        WorkItem(
            kind=["cancellation", "follow_up", "anomaly"][number % 3],
            audience=f"department:{number % 40}",
            subject=f"thing:{number}",
            opened_at=NOW,
            due_at=NOW + timedelta(minutes=number),
            assignee=f"user:{number % 50}" if number % 2 else "",
            closed_at=None if number % 10 == 0 else NOW + timedelta(seconds=number),
        )
        for number in range(20_000)
    ]
    WorkItem.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_workitem")
    items = WorkItem.objects.open().by_urgency()

    for narrowed in (
        items,
        items.filter(audience=department.audience),
        items.filter(audience__in=["department:1", "department:2"]),
        items.filter(kind="anomaly"),
        items.filter(assignee=f"user:{lead.pk}"),
        items.filter(assignee=""),
        items.filter(assignee__gt=""),
        items.after(item),
        queue.work_of(lead).open(),
        WorkItem.objects.filter(closed_at__gte=NOW + timedelta(hours=5)).order_by("-closed_at"),
        WorkItem.objects.open().filter(remind_at__lte=NOW).order_by("remind_at"),
        WorkItem.objects.open().filter(subject="thing:5", kind="anomaly"),
    ):
        plan = narrowed[: queue.LINES + 1].explain()
        assert "Seq Scan on notifications_workitem" not in plan, plan


def test_count_beside_the_queue_goes_up_to_ninety_nine(desk, department, lead):
    assert 'class="count"' not in desk.get(QUEUE).text
    interview = InterviewFactory(department=department)
    WorkItem.objects.bulk_create(
        WorkItem(
            kind="follow_up",
            audience=department.audience,
            subject=f"thing:{number}",
            opened_at=NOW,
            due_at=NOW,
        )
        for number in range(150)
    )

    assert queue.waiting(lead) == 100
    page = desk.get(QUEUE)
    assert "99+" in page.text
    assert len(keys(page)) == queue.LINES
    assert interview.reference not in page.text


# --- taking on, giving back, passing on -----------------------------------------------------------


def test_taking_on_and_giving_back(desk, department, lead):
    item = follow_up(department)

    page = desk.post(url("assign", item), {"to": str(lead.pk), "expected": ""}, follow=True)
    assert "You have taken this on." in page.text
    assert WorkItem.objects.get(pk=item.pk).assignee == f"user:{lead.pk}"

    mine = {"to": "", "expected": f"user:{lead.pk}"}
    assert "Nobody has taken this on yet." in desk.post(url("assign", item), mine, follow=True).text


def test_who_comes_second_is_told_who_has_it(client, department, lead, recruiter):
    client.force_login(lead)
    item = follow_up(department)
    work.assign_work(item, to=recruiter, by=recruiter, expected="")

    response = client.post(url("assign", item), {"to": str(lead.pk), "expected": ""}, follow=True)

    assert said(response) == [f"{recruiter.name} has taken this on meanwhile."]
    assert WorkItem.objects.get(pk=item.pk).assignee == f"user:{recruiter.pk}"
    seen = {"to": str(lead.pk), "expected": f"user:{recruiter.pk}"}
    client.post(url("assign", item), seen)
    assert WorkItem.objects.get(pk=item.pk).assignee == f"user:{lead.pk}"


def test_lead_passes_work_to_colleagues_of_the_department_only(desk, department, recruiter):
    item = follow_up(department)
    colleague = UserFactory(lead=True, departments=[department])
    strangers = [
        UserFactory(recruiter=True, departments=[DepartmentFactory()]),
        UserFactory(viewer=True, departments=[department]),
        UserFactory(recruiter=True, departments=[department], is_active=False),
        UserFactory(),
    ]

    page = desk.get(url("work_item", item)).text
    assert recruiter.name in page
    assert colleague.name in page
    for stranger in strangers:
        sent = desk.post(url("assign", item), {"to": str(stranger.pk), "expected": ""})
        assert sent.status_code == 403
    desk.post(url("assign", item), {"to": str(recruiter.pk), "expected": ""})
    assert WorkItem.objects.get(pk=item.pk).assignee == f"user:{recruiter.pk}"


def test_late_request_is_taken_on_by_who_can_decide_it(department, lead, recruiter):
    waiting, own = late_request(department), late_request(department, requested_by=lead)

    for by, to, cancellation in [
        (recruiter, recruiter, waiting),
        (lead, recruiter, waiting),
        (lead, lead, own),
    ]:
        with pytest.raises(PermissionDenied):
            work.assign_work(item_of(cancellation), to=to, by=by, expected="")
    work.assign_work(item_of(waiting), to=lead, by=lead, expected="")

    assert item_of(waiting).assignee == f"user:{lead.pk}"


def test_recruiter_takes_on_but_does_not_pass_on(department, lead, recruiter):
    item = follow_up(department)
    work.assign_work(item, to=recruiter, by=recruiter, expected="")

    with pytest.raises(PermissionDenied):
        work.assign_work(item, to=lead, by=recruiter, expected=f"user:{recruiter.pk}")
    other = UserFactory(recruiter=True, departments=[department])
    with pytest.raises(PermissionDenied):
        work.assign_work(item, to=None, by=other, expected=f"user:{recruiter.pk}")


@pytest.mark.parametrize(
    "expected", ["\x00", "user:\x00", "user:", "user:x", "user:" + "9" * 5000, "somebody"]
)
def test_holder_nobody_can_have_seen_counts_as_taken_meanwhile(desk, department, lead, expected):
    item = follow_up(department)

    sent = desk.post(url("assign", item), {"to": str(lead.pk), "expected": expected}, follow=True)

    assert said(sent) == ["It has been given back meanwhile. Nobody has taken it on now."]
    assert WorkItem.objects.get(pk=item.pk).assignee == ""


@pytest.mark.parametrize("to", ["x", "\x00", "99999999999999999999", "0", "-1"])
def test_nobody_of_that_name_is_not_found(desk, department, to):
    item = follow_up(department)

    assert desk.post(url("assign", item), {"to": to, "expected": ""}).status_code == 404


def test_taking_on_stands_in_the_history_once(department, recruiter):
    item = follow_up(department)

    for _twice in range(2):
        work.assign_work(item, to=recruiter, by=recruiter, expected="")

    entry = HistoryEntry.objects.get(event="work_assigned")
    assert entry.actor == f"user:{recruiter.pk}"
    assert entry.data == {
        "item": item.reference,
        "kind": "follow_up",
        "to": [f"user:{recruiter.pk}"],
        "status": "booked",
    }


# --- settling what is no request ------------------------------------------------------------------


def test_settling_leads_to_the_next_case(client, department, recruiter):
    client.force_login(recruiter)
    first = follow_up(department, due_at=timezone.now() + timedelta(minutes=5))
    second = follow_up(department, due_at=timezone.now() + timedelta(minutes=9))

    response = client.post(url("resolve", first), {"note": "Called, comes tomorrow"}, follow=True)

    item = WorkItem.objects.get(pk=first.pk)
    assert (item.closed_by, item.note) == (f"user:{recruiter.pk}", "Called, comes tomorrow")
    assert response.context["shown"].item == second
    assert "Called" not in str(HistoryEntry.objects.get(event="work_resolved").data)
    page = client.get(url("work_item", first)).text
    assert "Called, comes tomorrow" in page
    assert f"by {recruiter.name}" in page


@pytest.mark.parametrize("note", ["", "x" * 501, "with \x00 in it"])
def test_settling_needs_a_note_and_keeps_a_bad_one(desk, department, note):
    item = follow_up(department)

    response = desk.post(url("resolve", item), {"note": note})

    assert response.status_code == 422
    assert response.context["form"]["note"].value() == note
    assert WorkItem.objects.get(pk=item.pk).closed_at is None


def test_second_settlement_is_told_of_the_first(desk, department, recruiter):
    item = follow_up(department)
    work.resolve_work(item, by=recruiter, note="Called")

    response = desk.post(url("resolve", item), {"note": "Called too"}, follow=True)

    assert said(response) == ["A colleague has already settled this."]
    assert WorkItem.objects.get(pk=item.pk).note == "Called"
    with pytest.raises(TakenMeanwhile):
        work.resolve_work(item, by=recruiter, note="Again")


def test_late_request_is_settled_by_its_decision_alone(desk, department):
    item = item_of(late_request(department))

    assert desk.post(url("resolve", item), {"note": "Done"}).status_code == 403
    assert desk.get(url("work_item", item)).status_code == 302


def test_work_about_nothing_known_is_shown_by_its_kind(desk, department):
    item = follow_up(department)
    WorkItem.objects.filter(pk=item.pk).update(subject="job:XYZ", kind="anomaly")

    page = desk.get(url("work_item", item))

    assert page.status_code == 200
    assert "Anomaly" in page.text
    desk.post(url("resolve", item), {"note": "Done"})
    assert WorkItem.objects.get(pk=item.pk).closed_at is not None


# --- one decision after the other -----------------------------------------------------------------


def test_decision_leads_to_the_case_after_it_within_the_filter(desk, department):
    first, second, third = (
        late_request(department, starts_in=timedelta(hours=hours)) for hours in (2, 3, 5)
    )
    follow_up(department, due_at=timezone.now() + timedelta(hours=3))
    narrowed = "?kind=cancellation"

    answer = desk.post(url("decline", second) + narrowed)
    assert answer.url == url("case", third) + narrowed
    answer = desk.post(url("decline", third) + narrowed)
    assert answer.url == url("case", first) + narrowed
    answer = desk.post(url("decline", first) + narrowed)
    assert answer.url == QUEUE + narrowed


def test_open_case_hears_that_a_colleague_decided_it(desk, department):
    waiting = late_request(department)
    renew = renewing(desk, desk.get(url("case", waiting)))
    assert 'id="decision"' not in renew()

    colleague = UserFactory(lead=True, departments=[department])
    services.decline_cancellation(waiting.pk, by=colleague, note="We need you")

    news = renew()
    assert "<html" not in news
    assert 'id="decision" hx-swap-oob="true"' in news
    assert f"by {colleague.name}" in news
    assert url("approve", waiting) not in news
    assert 'id="decision"' not in renew()


@pytest.mark.parametrize("kind", ["cancellation", "follow_up"])
def test_open_case_hears_once_that_a_colleague_took_it_on(desk, department, recruiter, kind):
    """And nothing else of it: a note may be half written."""
    colleague = UserFactory(lead=True, departments=[department])
    if kind == "cancellation":
        waiting = late_request(department)
        page, item = desk.get(url("case", waiting)), item_of(waiting)
    else:
        item = follow_up(department)
        page = desk.get(url("work_item", item))
    renew = renewing(desk, page)
    work.assign_work(item, to=colleague, by=colleague, expected="")

    news = renew()

    assert 'id="holder" hx-swap-oob="true"' in news
    assert f"{colleague.name} has taken this on." in news
    assert 'id="decision"' not in news
    assert 'id="holder"' not in renew()


def test_empty_queue_that_fills_opens_nothing_by_itself(desk, department, recruiter):
    renew = renewing(desk, desk.get(QUEUE))
    item = follow_up(department)

    assert url("work_item", item) in renew()
    work.assign_work(item, to=recruiter, by=recruiter, expected="")

    news = renew()
    assert "aria-current" not in news
    assert 'id="holder"' not in news  # there is no case beside the list to be told


def test_list_brings_the_words_for_when_it_stops(client, department):
    """In the reader's own time."""
    client.force_login(UserFactory(lead=True, departments=[department], time_zone="Europe/Berlin"))
    with time_machine.travel(NOW, tick=False):
        page = client.get(QUEUE)

    assert 'data-stale="Not renewed since 05:00"' in page.text
    assert "data-stale-here" in page.text


def renewing(client, page):
    """What the list gets each time it asks for itself, with how the case stood the time before."""
    address, stands = page.context["list_url"], STANDS.search(page.text)[1]

    def renew() -> str:
        nonlocal stands
        news = client.get(address, {"stands": stands}, headers=POLL).text
        stands = STANDS.search(news)[1]
        return news

    return renew


# --- several at once ------------------------------------------------------------------------------


def several(action, *requests, **more):
    return {"action": action, "receipt": [each.reference for each in requests], **more}


def test_several_are_read_then_decided_and_the_result_survives_a_reload(desk, department, lead):
    requests = [late_request(department, starts_in=timedelta(hours=h)) for h in (2, 3)]

    page = desk.get("/desk/several/", several("approve", *requests))
    assert "Approve 2 requests" in page.text
    assert not Cancellation.objects.exclude(status="requested").exists()
    answer = desk.post("/desk/several/", several("approve", *requests, note="Get well"))

    for _reload in range(2):
        result = desk.get(answer.url)
        assert "Approved: 2 of 2" in result.text
    for each in requests:
        decided = Cancellation.objects.get(pk=each.pk)
        assert (decided.status, decided.decided_by, decided.note) == ("approved", lead, "Get well")
        assert each.interview.candidate.user.name in result.text


def test_way_back_from_several_keeps_what_was_ticked(desk, department):
    first, second, third = (late_request(department) for _number in range(3))

    page = desk.get("/desk/several/", several("approve", first, third) | {"kind": "cancellation"})
    chosen = f"receipt={first.reference}&amp;receipt={third.reference}"
    assert page.text.count(f'href="{QUEUE}?kind=cancellation&amp;{chosen}"') == 2
    refused = desk.post("/desk/several/", several("decline", third, note="x" * 501))
    assert f'href="{QUEUE}?receipt={third.reference}"' in refused.text

    back = desk.get(QUEUE, {"kind": "cancellation", "receipt": [first.reference, third.reference]})
    ticked = {each.reference for each in (first, second, third) if ticks(back, each)}
    assert ticked == {first.reference, third.reference}
    assert "receipt" not in back.context["list_url"]
    assert desk.get(QUEUE, {"receipt": ["\x00", "x" * 5000]}).status_code == 200


def ticks(page, cancellation) -> bool:
    """Whether the box of this request is ticked."""
    box = re.search(rf'<input[^>]*id="tick-{cancellation.reference}"[^>]*>', page.text)
    return "checked" in box[0]


def test_each_of_several_has_its_own_outcome(desk, department, lead):
    """One changed meanwhile, one taken back, one mine, one elsewhere: the other one is decided."""
    fine, decided, lapsed, own = (late_request(department) for _number in range(4))
    Cancellation.objects.filter(pk=own.pk).update(requested_by=lead)
    elsewhere = late_request(DepartmentFactory())
    colleague = UserFactory(lead=True, departments=[department])
    services.approve_cancellation(decided.pk, by=colleague)
    services.take_back_cancellation(lapsed.reference, by=lapsed.requested_by)

    chosen = several("decline", fine, decided, lapsed, own, elsewhere)
    page = desk.get("/desk/several/", chosen)
    assert "Decline 1 request" in page.text
    result = desk.post("/desk/several/", chosen, follow=True)

    outcomes = {each.cancellation: each.outcome for each in result.context["requests"]}
    assert outcomes == {
        fine: "Declined",
        decided: f"Decided meanwhile by {colleague.name}: Cancelled",
        lapsed: "The candidate has taken this request back. There is nothing to decide any more.",
        own: "You asked for this yourself: a colleague decides it.",
    }
    assert "Declined: 1 of 4" in result.text
    statuses = [Cancellation.objects.get(pk=each.pk).status for each in (own, elsewhere)]
    assert statuses == [CancellationStatus.REQUESTED] * 2


def test_each_of_several_is_a_transaction_of_its_own(desk, department, monkeypatch):
    broken, fine = late_request(department), late_request(department)
    approve = services.approve_cancellation

    def breaks(cancellation_id, **kwargs):
        if cancellation_id == broken.pk:
            raise RuntimeError
        return approve(cancellation_id, **kwargs)

    monkeypatch.setattr(services, "approve_cancellation", breaks)
    result = desk.post("/desk/several/", several("approve", broken, fine), follow=True)

    assert "Approved: 1 of 2" in result.text
    assert "Waits to be decided" in result.text
    assert Cancellation.objects.get(pk=fine.pk).status == CancellationStatus.APPROVED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "Choose at least one request."),
        ({"action": "approve"}, "Choose at least one request."),
        ({"action": "erase", "receipt": "7K2M9QX4TB"}, "Choose what to do with them."),
        ({"action": "approve", "receipt": ["\x00", "x" * 9999]}, "Choose at least one request."),
    ],
)
def test_choice_that_cannot_be_understood_is_answered_in_words(desk, data, message):
    for send in (desk.get, desk.post):
        assert message in said(send("/desk/several/", data, follow=True))
    assert desk.get("/desk/several/done/", data).status_code == 302


def test_more_than_a_hundred_at_once_are_refused(desk):
    receipts = [f"7K2M9QX{number:03d}" for number in range(101)]

    response = desk.post("/desk/several/", {"action": "approve", "receipt": receipts}, follow=True)

    assert said(response) == ["Please choose no more than 100 requests."]


def test_bad_note_to_several_is_kept_with_the_choice(desk, department):
    waiting = late_request(department)

    response = desk.post("/desk/several/", several("decline", waiting, note="x" * 501))

    assert response.status_code == 422
    assert "x" * 501 in response.text
    assert waiting.reference in response.text
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


# --- chasing --------------------------------------------------------------------------------------


def sweep() -> None:
    notification_tasks.take_work_steps()
    tasks.apply_defaults()


def told(event) -> set[tuple[str, str]]:
    found = Notification.objects.filter(event=event)
    return set(found.values_list("recipient", "channel"))


def on(*people) -> set[tuple[str, str]]:
    return {
        (f"user:{person.pk}", channel)
        for person in people
        for channel in (Channel.EMAIL, Channel.DESK)
    }


def test_nobody_decides_and_the_whole_chain_runs(department, lead):
    second_lead = UserFactory(lead=True, departments=[department])
    UserFactory(lead=True, departments=[DepartmentFactory()])
    with time_machine.travel(NOW, tick=False) as clock:
        position = PositionFactory(department=department)
        position.recruiter.departments.add(department)
        cancellation = ask(InterviewFactory(position=position, starts_in=timedelta(hours=3)))
        chain = []
        for minute in range(0, 3 * 60, 5):
            clock.move_to(NOW + timedelta(minutes=minute))
            for _twice in range(2):
                sweep()
            interview = Interview.objects.get(pk=cancellation.interview_id)
            chain.append((minute, interview.history.count(), interview.status))

    changes = [now for before, now in pairwise(chain) if before[1:] != now[1:]]
    assert changes == [
        (15, 3, InterviewStatus.CANCELLING),
        (30, 4, InterviewStatus.CANCELLING),
        (150, 5, InterviewStatus.CANCELLED),
    ]
    who_may = [position.recruiter, lead, second_lead]
    assert told("decision_reminder") == on(*who_may)
    assert told("decision_escalated") == on(lead, second_lead)
    events = [(entry.event, entry.actor, entry.at) for entry in interview.history.all()]
    assert events[2:] == [
        ("work_reminded", "system", NOW + timedelta(minutes=15)),
        ("work_escalated", "system", NOW + timedelta(minutes=30)),
        ("cancelled", "system", NOW + timedelta(minutes=150)),
    ]
    assert interview.history.get(event="work_reminded").data == {
        "item": item_of(cancellation).reference,
        "kind": "cancellation",
        "to": [f"user:{person.pk}" for person in who_may],
        "status": "cancelling",
    }


def test_receipt_stays_true_while_a_request_is_chased(department):
    from cancellations.queries import receipt

    cancellation = ask(InterviewFactory(department=department, starts_in=timedelta(hours=3)))
    work.chase(item_of(cancellation), "remind")

    assert receipt(cancellation.reference).verified


def test_who_took_it_on_is_reminded(department, lead):
    cancellation = late_request(department)
    item = item_of(cancellation)
    work.assign_work(item, to=lead, by=lead, expected="")

    work.chase(item, "remind")

    assert told("decision_reminder") == on(lead)


@pytest.mark.parametrize("what", ["moved", "demoted", "switched off", "never could"])
def test_who_cannot_do_it_any_more_is_passed_over(department, lead, recruiter, what):
    """Then it is as if nobody had taken it on."""
    holder = UserFactory(lead=True, departments=[department])
    position = PositionFactory(department=department, recruiter=recruiter)
    item = WorkItemFactory(
        interview=InterviewFactory(position=position),
        kind="cancellation",
        assignee=f"user:{holder.pk}",
    )
    match what:
        case "moved":
            holder.departments.set([DepartmentFactory()])
        case "demoted":
            User.objects.filter(pk=holder.pk).update(role=Role.DEPARTMENT_VIEWER)
        case "switched off":
            User.objects.filter(pk=holder.pk).update(is_active=False)
        case "never could":  # recruiters decide nothing
            User.objects.filter(pk=holder.pk).update(role=Role.RECRUITER)

    work.chase(item, "remind")

    assert told("decision_reminder") == on(recruiter, lead)


@pytest.mark.parametrize("kind", ["cancellation", "follow_up"])
def test_administrator_who_holds_it_is_reminded_wherever_it_is(department, lead, kind):
    administrator = UserFactory(administrator=True)
    item = follow_up(department, kind=kind, assignee=f"user:{administrator.pk}")

    work.chase(item, "remind")

    event = "decision_reminder" if kind == "cancellation" else "work_reminder"
    assert told(event) == on(administrator)


def test_without_anybody_nearer_the_leads_are_reminded(department, lead):
    gone = UserFactory(recruiter=True, is_active=False)
    position = PositionFactory(department=department, recruiter=gone)
    item = WorkItemFactory(interview=InterviewFactory(position=position))

    work.chase(item, "remind")

    assert told("work_reminder") == on(lead)


def test_without_a_lead_the_administrators_are_told():
    administrator = UserFactory(administrator=True)
    item = follow_up(DepartmentFactory())

    work.chase(item, "escalate")

    assert told("work_escalated") == on(administrator)


def test_decided_request_is_chased_no_more(department, lead):
    with time_machine.travel(NOW, tick=False) as clock:
        cancellation = ask(InterviewFactory(department=department, starts_in=timedelta(hours=3)))
        clock.shift(timedelta(minutes=15))
        sweep()
        services.decline_cancellation(cancellation.pk, by=lead)
        clock.shift(timedelta(minutes=15))
        sweep()

    assert not told("decision_escalated")
    assert not cancellation.interview.history.filter(event="work_escalated").exists()
    states = Notification.objects.filter(event="decision_reminder").values_list("state", flat=True)
    assert set(states) == {"superseded"}


# --- one's own ------------------------------------------------------------------------------------


def test_lead_decides_no_request_of_their_own_anywhere(desk, department, lead):
    own = late_request(department, requested_by=lead)

    page = desk.get(url("case", own)).text

    assert "You asked for this yourself: a colleague decides it." in page
    assert "data-decision" not in page  # which is what the keys look for
    assert desk.post(url("approve", own)).status_code == 403
    desk.post("/desk/several/", several("approve", own))
    assert Cancellation.objects.get(pk=own.pk).status == CancellationStatus.REQUESTED
