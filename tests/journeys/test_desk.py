"""A late request comes in, HR decides it, and the candidate sees at once what became of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from cancellations import services
from cancellations.models import Cancellation, Purpose, Reason
from interviews.models import Interview
from interviews.states import InterviewStatus
from notifications.models import Channel, Notification, State
from tests.factories import (
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
    WorkItemFactory,
)
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

either_way = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])

QUEUE = "/desk/"


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


def given_a_late_request(department, *, hours=2, detail="", **candidate) -> Cancellation:
    interview = InterviewFactory(
        department=department,
        candidate=CandidateFactory(**{f"user__{name}": value for name, value in candidate.items()}),
        starts_in=timedelta(hours=hours),
    )
    reason = Reason.objects.get(
        purpose=Purpose.CANCEL, code="personal" if detail else "time_conflict"
    )
    return services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=reason, detail=detail
    )[0]


def when_the_candidate_asks_late(visitor, interview):
    visitor.opens(reverse("cancellations:cancel", args=[interview.reference]))
    visitor.chooses("The time does not suit me")
    visitor.presses("Continue")
    visitor.presses("Confirm cancellation")
    visitor.sees("HR has your request to cancel")


def status_of(cancellation: Cancellation) -> str:
    return Interview.objects.get(pk=cancellation.interview_id).status


@either_way
def test_lead_approves_and_the_candidate_sees_it(visit, department, lead, javascript):
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2))
    candidate = visit(interview.candidate.user, javascript=javascript)
    when_the_candidate_asks_late(candidate, interview)

    desk = visit(lead, javascript=javascript, width=1280, height=800)
    desk.opens(QUEUE)
    desk.sees(interview.candidate.user.name)
    desk.sees("The time does not suit me")
    desk.writes("Note to the candidate (optional)", "See you another day.")
    desk.presses("Approve")

    desk.sees(f"The interview of {interview.candidate.user.name} is cancelled.")
    desk.sees("Nothing is waiting")
    candidate.page.reload()
    candidate.sees("Your AI interview has been cancelled")
    cancellation = Cancellation.objects.get()
    assert (cancellation.decided_by, cancellation.note) == (lead, "See you another day.")
    assert not desk.complaints


@either_way
def test_lead_declines_and_the_candidate_reads_why(visit, department, lead, javascript):
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2))
    candidate = visit(interview.candidate.user, javascript=javascript)
    when_the_candidate_asks_late(candidate, interview)

    desk = visit(lead, javascript=javascript, width=1280, height=800)
    desk.opens(QUEUE)
    desk.writes("Note to the candidate (optional)", "It takes only twenty minutes.")
    desk.presses("Decline")

    desk.sees(f"The appointment of {interview.candidate.user.name} stands.")
    candidate.page.reload()
    candidate.sees("Your interview stands")
    candidate.sees("It takes only twenty minutes.")
    assert status_of(Cancellation.objects.get()) == InterviewStatus.BOOKED


def test_candidate_reads_it_in_chinese(visit, department, lead):
    cancellation = given_a_late_request(department, language="zh-hans")
    candidate = visit(cancellation.requested_by, locale="zh-CN")
    page = reverse("cancellations:interview", args=[cancellation.interview.reference])
    candidate.opens(page)
    candidate.sees("取消中")

    lead.language = "zh-hans"
    lead.save()
    desk = visit(lead, width=1280, height=800, locale="zh-CN")
    desk.opens(QUEUE)
    desk.presses("同意取消")
    desk.sees("取消面试，正在通知相关人员。")

    candidate.page.reload()
    candidate.sees("已取消")


def test_two_leads_at_once_make_one_decision(visit, department, lead):
    cancellation = given_a_late_request(department)
    colleague = UserFactory(lead=True, departments=[department])
    first = visit(lead, width=1280, height=800)
    second = visit(colleague, width=1280, height=800)
    for desk in (first, second):
        desk.opens(QUEUE)

    first.presses("Decline")
    first.sees("stands. They are being told.")
    second.presses("Approve")

    second.sees("A colleague has already decided this request.")
    second.sees(f"by {lead.name}")
    assert status_of(cancellation) == InterviewStatus.BOOKED


def test_next_case_is_there_and_the_buttons_stay_where_they_were(visit, department, lead):
    given_a_late_request(department, hours=2, name="孙一")
    given_a_late_request(department, hours=3, name="孙二", detail="A long story. " * 20)
    desk = visit(lead, width=1280, height=800)
    desk.opens(QUEUE)
    heading, button = desk.page.locator("#case-title"), desk.page.locator(".button-primary")
    expect(heading).to_have_text("孙一")
    before = button.bounding_box()

    desk.presses("Approve")

    expect(heading).to_have_text("孙二")
    assert button.bounding_box() == before


def test_list_brings_itself_up_to_date(visit, department, lead):
    desk = visit(lead, width=1280, height=800)
    desk.page.clock.install()
    desk.opens(QUEUE)
    desk.sees("Nothing is waiting")

    given_a_late_request(department, name="孙一")
    desk.page.clock.fast_forward("00:21")

    desk.sees("孙一")
    expect(desk.page.locator(".desk-rail .count")).to_contain_text("1")
    assert not desk.complaints


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [("en", "1 h 29 min", "59 min"), ("zh-hans", "1 小时 29 分钟", "59 分钟")],
)
def test_clock_goes_on_in_the_readers_language(visit, department, lead, language, before, after):
    given_a_late_request(department)
    lead.language = language
    lead.save()
    desk = visit(lead, width=1280, height=800)
    desk.page.clock.install()
    desk.page.route(
        "**/*",
        lambda route: route.abort() if route.request.resource_type == "xhr" else route.continue_(),
    )
    desk.opens(QUEUE)
    clock = desk.page.locator(".request-due time")
    expect(clock).to_have_text(before)

    desk.page.clock.fast_forward("30:10")

    expect(clock).to_have_text(after)


def test_whoever_was_signed_out_is_asked_to_sign_in(visit, lead):
    desk = visit(lead, width=1280, height=800)
    desk.page.clock.install()
    desk.opens(QUEUE)
    desk.sees("Nothing is waiting")

    desk.page.context.clear_cookies()
    desk.page.clock.fast_forward("00:21")

    desk.is_at(f"{reverse('accounts:desk_sign_in')}?next={QUEUE}")


def test_list_is_walked_with_the_keyboard(visit, department, lead):
    given_a_late_request(department, hours=2, name="孙一")
    given_a_late_request(department, hours=3, name="孙二")
    desk = visit(lead, width=1280, height=800)
    desk.opens(QUEUE)

    desk.page.keyboard.press("j")
    expect(desk.page.locator(".request").nth(1)).to_be_focused()
    desk.page.keyboard.press("k")
    expect(desk.page.locator(".request").nth(0)).to_be_focused()
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#case-title")).to_have_text("孙二")


def test_letters_written_in_the_note_stay_in_the_note(visit, department, lead):
    given_a_late_request(department)
    desk = visit(lead, width=1280, height=800)
    desk.opens(QUEUE)
    note = desk.page.get_by_label("Note to the candidate")

    note.press_sequentially("jk")

    expect(note).to_have_value("jk")
    expect(note).to_be_focused()


@pytest.mark.parametrize("width", [768, 390])
def test_small_screen_shows_the_list_and_then_one_case(visit, department, lead, width):
    given_a_late_request(department, name="孙一")
    desk = visit(lead, width=width)
    desk.opens(QUEUE)
    expect(desk.page.locator("#case-title")).to_be_hidden()

    desk.follows("孙一")
    expect(desk.page.locator("#case-title")).to_be_visible()
    expect(desk.page.locator("#requests")).to_be_hidden()
    desk.presses("Approve")

    desk.sees("Nothing is waiting")


@either_language
def test_desk_has_nothing_for_axe_to_find(visit, department, lead, language, width):
    waiting = given_a_late_request(department, detail="A wedding in the family.")
    decided = given_a_late_request(department, hours=3)
    services.decline_cancellation(decided.pk, by=lead, note="We wait for you.")
    Notification.objects.filter(channel=Channel.DESK).update(
        state=State.DELIVERED, title="A request to decide", body="It is about an interview."
    )
    lead.language = language
    lead.save()
    reader = UserFactory(viewer=True, departments=[department], language=language)
    idle = UserFactory(lead=True, language=language)

    item = WorkItemFactory(interview=waiting.interview, kind="anomaly", assignee=f"user:{lead.pk}")
    work_item = reverse("cancellations:work_item", args=[item.reference])
    several = f"{reverse('cancellations:bulk')}?action=approve&receipt={waiting.reference}"

    def case(cancellation):
        return reverse("cancellations:case", args=[cancellation.reference])

    lead_sees = [
        QUEUE,
        f"{QUEUE}?kind=anomaly",
        f"{QUEUE}?kind=cancellation&assignee=me",
        work_item,
        several,
        several.replace("?", "done/?"),
        case(waiting),
        case(decided),
        reverse("cancellations:inbox"),
        reverse("cancellations:settings"),
        "/desk/nowhere/",
    ]
    for user, paths in [
        (lead, lead_sees),
        (reader, [work_item, case(waiting)]),
        (idle, [QUEUE, reverse("cancellations:inbox")]),
    ]:
        assert visit(user, width=width).faults_of(paths) == {}
