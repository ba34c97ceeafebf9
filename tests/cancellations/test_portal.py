from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from cancellations import services
from cancellations.absences.models import Absence
from cancellations.models import Cancellation, CancellationStatus, Policy, Purpose, Reason
from cancellations.views.portal import Entrance
from interviews.models import HistoryEntry, Interview
from interviews.states import InterviewStatus
from notifications.models import Notification
from notifications.rendering import render
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    CandidateFactory,
    InterviewFactory,
    MarkFactory,
    PositionFactory,
    SittingFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
OTHER = {"reason": "other", "detail": "The bus does not run that day."}


@pytest.fixture
def candidate(client):
    candidate = CandidateFactory()
    client.force_login(candidate.user)
    return candidate


def url(name: str, interview: Interview) -> str:
    return reverse(f"cancellations:{name}", args=[interview.reference])


def everything() -> tuple:
    return (
        list(Interview.objects.order_by("pk").values()),
        list(Cancellation.objects.order_by("pk").values()),
        HistoryEntry.objects.count(),
        Notification.objects.count(),
    )


# --- missed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("", "HR looks at every absence"),
        ("active", "it stands on your record until"),
        ("appealed", "You have appealed"),
        ("lifted", "has been taken off again"),
        ("expired", "its time is over"),
    ],
)
def test_missed_interview_says_what_became_of_it(client, candidate, state, words):
    missed = InterviewFactory(candidate=candidate, no_show=True, link="")
    absence = AbsenceFactory(interview=missed)
    if state:
        ended = NOW if state in {"lifted", "expired"} else None
        MarkFactory(missed=missed, state=state, ended_at=ended)
        Absence.objects.filter(pk=absence.pk).update(decision="marked", decided_at=NOW)

    page = client.get(url("interview", missed)).content.decode()

    assert words in page
    assert ("HR looks at every absence" in page) == (not state)


# --- my interviews --------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_mine_query_count_does_not_grow(client, candidate, rows, django_assert_num_queries):
    InterviewFactory.create_batch(rows, candidate=candidate)

    with django_assert_num_queries(4):
        response = client.get(reverse("cancellations:mine"))

    assert len(response.context["page"]) == rows


def test_mine_shows_the_next_one_large_with_the_moment_until_which_it_cancels_itself(
    client, candidate
):
    InterviewFactory(candidate=candidate, starts_in=timedelta(days=9))
    soonest = InterviewFactory(candidate=candidate, starts_in=timedelta(days=3))
    InterviewFactory(candidate=candidate, completed=True)

    response = client.get(reverse("cancellations:mine"))

    assert response.context["next"] == soonest
    assert len(response.context["ahead"]) == 1
    assert len(response.context["ended"]) == 1
    assert "Cancel without approval until" in response.content.decode()


def test_mine_passes_over_what_should_have_begun_and_ended_yesterday(client, candidate):
    InterviewFactory(candidate=candidate, starts_in=timedelta(days=-1))
    tomorrow = InterviewFactory(candidate=candidate, starts_in=timedelta(days=1))

    assert client.get(reverse("cancellations:mine")).context["next"] == tomorrow


def test_mine_says_when_there_is_nothing(client, candidate):
    InterviewFactory()

    response = client.get(reverse("cancellations:mine"))

    assert not response.context["page"].object_list
    assert "No interviews yet" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=booked", {"near", "far"}),
        ("status=completed", {"past"}),
        ("period=upcoming", {"near", "far"}),
        ("period=past", {"past"}),
        ("since={in_two_days}", {"near", "far"}),
        ("since={in_two_days}&until={in_four_days}", {"near"}),
        ("position={position}", {"far"}),
        ("position={position}&status=completed", set()),
    ],
)
def test_mine_filters_by_position_time_and_status(client, candidate, query, expected):
    made = {
        "near": InterviewFactory(candidate=candidate, starts_in=timedelta(days=3)),
        "far": InterviewFactory(candidate=candidate, starts_in=timedelta(days=9)),
        "past": InterviewFactory(candidate=candidate, completed=True),
    }
    query = query.format(
        position=made["far"].position.pk,
        in_two_days=timezone.localdate() + timedelta(days=2),
        in_four_days=timezone.localdate() + timedelta(days=4),
    )

    response = client.get(reverse("cancellations:mine") + "?" + query)

    assert response.status_code == 200
    assert set(response.context["page"]) == {made[name] for name in expected}
    assert ("Nothing matches" in response.content.decode()) is not expected


@pytest.mark.parametrize(
    "query",
    [
        "position=999999",
        "position=%00",
        "status=nonsense",
        "since=0001-01-01",
        "since=2026-02-30",
        "until=%00",
        "period=" + "x" * 5000,
    ],
)
def test_mine_with_a_filter_it_cannot_read_says_so_and_shows_all(client, candidate, query):
    InterviewFactory(candidate=candidate)

    response = client.get(reverse("cancellations:mine") + "?" + query)

    assert response.status_code == 400
    assert response.context["form"].errors
    assert len(response.context["page"]) == 1


@pytest.mark.parametrize("page", ["2", "99", "-1", "x", "%00"])
def test_mine_comes_in_pages_and_forgives_wrong_ones(client, candidate, page):
    InterviewFactory.create_batch(21, candidate=candidate)

    response = client.get(reverse("cancellations:mine") + f"?page={page}&status=booked")

    assert response.status_code == 200
    assert len(response.context["page"]) == (20 if page in {"x", "%00"} else 1)
    assert "status=booked&amp;page=" in response.content.decode()


def test_mine_says_that_one_has_confirmed(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    before = client.get(reverse("cancellations:mine")).content.decode()
    Interview.objects.filter(pk=interview.pk).update(confirmed_at=timezone.now())
    after = client.get(reverse("cancellations:mine")).content.decode()

    words = "You have said that you will attend."
    assert words not in before
    assert words in after


def test_cancelled_interview_leads_to_what_one_can_do(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    other = PositionFactory(title="Fitter & turner")
    client.post(url("cancel", interview), OTHER)

    page = client.get(url("interview", interview)).content.decode()

    recruiter = interview.position.recruiter
    assert 'href="#ways_on"' in page
    assert "Other positions that may suit you" in page
    assert f'href="mailto:{recruiter.email}?subject=' in page
    assert "Fitter%20%26%20turner" in page
    assert other.department.name in page


def test_staff_are_sent_to_their_desk(client):
    client.force_login(UserFactory(lead=True))

    assert client.get(reverse("cancellations:mine")).status_code == 302


# --- one interview --------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [0, 3])
def test_interview_query_count_does_not_grow(
    client, candidate, requests, django_assert_num_queries
):
    interview = InterviewFactory(candidate=candidate)
    CancellationFactory.create_batch(
        requests, interview=interview, status=CancellationStatus.DECLINED, decided_at=timezone.now()
    )

    with django_assert_num_queries(5):
        assert client.get(url("interview", interview)).status_code == 200


def test_interview_shows_every_fact_and_how_to_reach_the_recruiter(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    recruiter = interview.position.recruiter
    recruiter.mobile = "+8613800001111"
    recruiter.save()

    page = client.get(url("interview", interview)).content.decode()

    for fact in (
        interview.position.title,
        interview.position.department.name,
        "AI interview",
        interview.link,
        recruiter.name,
        "tel:+8613800001111",
        "+86 138 0000 1111",
        f"mailto:{recruiter.email}",
        f"{interview.reference[:5]} {interview.reference[5:]}",
        "AI interview booked",
    ):
        assert fact in page


@pytest.mark.parametrize(
    ("hours", "current"),
    [
        (25, "Cancelled at once, without approval."),
        (13, "Recorded as short notice"),
        (2, "HR decides, within 15 minutes"),
    ],
)
def test_interview_shows_the_rule_and_where_in_it_one_stands(client, candidate, hours, current):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=hours))

    page = client.get(url("interview", interview)).content.decode()

    highlighted = page.split('class="rule-current"')[1].split("</li>")[0]
    assert current in highlighted
    assert "it is cancelled automatically" in highlighted or hours > 12
    assert url("cancel", interview) in page


def test_interview_that_has_begun_offers_no_cancelling(client, candidate):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(minutes=-1))

    page = client.get(url("interview", interview)).content.decode()

    assert url("cancel", interview) not in page
    assert client.get(url("cancel", interview)).status_code == 302


@pytest.mark.parametrize(("minutes", "offered"), [(16, False), (14, True), (-20, True)])
def test_entering_is_offered_from_a_little_before_the_start(client, candidate, minutes, offered):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(minutes=minutes))

    page = client.get(url("interview", interview)).content.decode()

    assert ("Enter the interview" in page) is offered


# --- the way in -----------------------------------------------------------------------------------

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
IN_OUR_ROOM = {"link": "", "starts_at": NOW, "ends_at": NOW + 30 * MINUTE}


def entrances(client, interview, at=NOW) -> set[Entrance | None]:
    """What both pages that could offer it say; they agree where the interview stands first."""
    with time_machine.travel(at, tick=False):
        mine = client.get(reverse("cancellations:mine")).context
        one = client.get(url("interview", interview))
    entrance = one.context["entrance"]
    assert (f'href="{entrance.url}"' in one.text) if entrance else ("room/" not in one.text)
    return {entrance, mine["entrance"]} if mine["next"] == interview else {entrance}


def room(interview, *, resumes=False) -> Entrance:
    return Entrance(reverse("room:page", args=[interview.reference]), resumes)


@pytest.mark.parametrize("status", [InterviewStatus.BOOKED, InterviewStatus.CANCELLING])
@pytest.mark.parametrize(
    ("at", "offered"),
    [
        (-10 * MINUTE - SECOND, False),
        (-10 * MINUTE, True),
        (timedelta(0), True),
        (30 * MINUTE - SECOND, True),
        (30 * MINUTE, False),
    ],
    ids=str,
)
def test_way_into_our_room_is_there_while_its_door_is_open(client, candidate, status, at, offered):
    interview = InterviewFactory(candidate=candidate, status=status, **IN_OUR_ROOM)

    assert entrances(client, interview, NOW + at) == {room(interview) if offered else None}


@pytest.mark.parametrize(
    ("until", "resumes"), [(NOW + SECOND, True), (NOW, False)], ids=["in time", "too late"]
)
def test_who_was_in_goes_on_until_nobody_can(client, candidate, until, resumes):
    interview = SittingFactory(interview__candidate=candidate, resume_until=until).interview

    wanted = room(interview, resumes=True) if resumes else None
    assert entrances(client, interview) == {wanted}
    text = "Your last interview is not finished. Do you want to continue?"
    with time_machine.travel(NOW, tick=False):
        assert (text in client.get(url("interview", interview)).text) is resumes


def test_who_never_sat_begins(client, candidate):
    interview = InterviewFactory(
        candidate=candidate, status=InterviewStatus.IN_PROGRESS, **IN_OUR_ROOM
    )

    assert entrances(client, interview) == {room(interview)}


@pytest.mark.parametrize(
    "status", sorted(set(InterviewStatus) - {"booked", "cancelling", "in_progress"})
)
def test_no_way_into_our_room_otherwise(client, candidate, status):
    sitting = SittingFactory(interview__candidate=candidate, interview__status=status)

    assert entrances(client, sitting.interview) == {None}


@pytest.mark.parametrize(
    ("at", "offered"),
    [
        (-15 * MINUTE - SECOND, False),
        (-15 * MINUTE, True),
        (30 * MINUTE, True),
        (30 * MINUTE + SECOND, False),
    ],
    ids=str,
)
def test_way_elsewhere_is_there_from_a_little_before_until_the_end(client, candidate, at, offered):
    interview = InterviewFactory(
        candidate=candidate, **{**IN_OUR_ROOM, "link": "https://a.example/"}
    )

    wanted = Entrance("https://a.example/") if offered else None
    assert entrances(client, interview, NOW + at) == {wanted}


def test_nothing_leads_in_where_it_takes_place_elsewhere_and_no_link_has_come(client, candidate):
    interview = InterviewFactory(candidate=candidate, kind="on_site", **IN_OUR_ROOM)

    assert entrances(client, interview) == {None}


@pytest.mark.parametrize("sittings", [1, 3])
def test_way_in_takes_one_query_more_however_often_they_were_in(
    client, candidate, sittings, django_assert_num_queries
):
    interview = SittingFactory(interview__candidate=candidate).interview
    before = timezone.now() - timedelta(hours=1)
    SittingFactory.create_batch(sittings - 1, interview=interview, entered_at=before, ended=True)

    with django_assert_num_queries(5):
        assert client.get(url("interview", interview)).context["entrance"].resumes
    with django_assert_num_queries(4):
        assert client.get(reverse("cancellations:mine")).context["entrance"].resumes


# --- what became of it ----------------------------------------------------------------------------


def test_interview_says_that_hr_declined_and_why(client, candidate):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=2))
    cancellation, _ = services.request_cancellation(
        interview.reference,
        by=candidate.user,
        reason=Reason.objects.get(purpose=Purpose.CANCEL, code="unwell"),
    )
    services.decline_cancellation(
        cancellation.pk, by=UserFactory(lead=True), note="The panel waits only for you."
    )

    page = client.get(url("interview", interview)).content.decode()

    assert "Your interview stands" in page
    assert "The panel waits only for you." in page


@pytest.mark.parametrize("agreed", [True, False])
def test_talent_pool_is_named_only_to_who_agreed_to_it(client, candidate, agreed):
    candidate.talent_pool_at = timezone.now() if agreed else None
    candidate.save()
    interview = InterviewFactory(candidate=candidate)
    client.post(url("cancel", interview), OTHER)

    page = client.get(url("interview", interview)).content.decode()

    assert ("Your résumé is in our talent pool." in page) is agreed
    assert ("Keep my résumé in the talent pool" in page) is not agreed
    assert "If the status still looks wrong after 24 hours" in page


def test_pages_answer_in_the_quoted_chinese(client, candidate):
    candidate.user.language = "zh-hans"
    candidate.user.save()
    interview = InterviewFactory(candidate=candidate)

    check = client.post(url("check", interview), OTHER).content.decode()
    client.post(url("cancel", interview), OTHER)
    after = client.get(url("interview", interview)).content.decode()

    assert "取消面试后，将无法恢复，请确认是否继续？" in check
    assert "确认取消" in check
    assert "您的AI面试已成功取消，如需重新安排，请联系HR" in after
    assert "已取消" in after


# --- whose it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("get", "interview"),
        ("get", "cancel"),
        ("get", "check"),
        ("get", "take_back"),
        ("post", "cancel"),
        ("post", "check"),
        ("post", "take_back"),
    ],
)
def test_somebody_elses_interview_is_not_there(client, candidate, method, name):
    other = InterviewFactory()
    before = everything()

    response = getattr(client, method)(url(name, other), OTHER, follow=True)

    assert response.status_code == 404
    assert everything() == before


@pytest.mark.parametrize("name", ["interview", "cancel", "check", "take_back"])
def test_strangers_are_asked_to_sign_in(client, name):
    interview = InterviewFactory()
    before = everything()

    for method in (client.get, client.post):
        response = method(url(name, interview), OTHER)
        assert response.status_code == 302
        assert "/sign-in" in response["Location"]

    assert everything() == before


@pytest.mark.parametrize("name", ["interview", "cancel", "check", "take_back"])
def test_looking_changes_nothing(client, candidate, name):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=2))
    client.post(url("cancel", interview), OTHER)
    booked = InterviewFactory(candidate=candidate)
    before = everything()

    for each in (interview, booked):
        client.get(url(name, each), OTHER)
        client.head(url(name, each))

    assert everything() == before


def test_posts_need_their_token():
    candidate = CandidateFactory()
    interview = InterviewFactory(candidate=candidate)
    client = Client(enforce_csrf_checks=True)
    client.force_login(candidate.user)

    response = client.post(url("cancel", interview), OTHER)

    assert response.status_code == 403
    assert "open for too long" in response.content.decode() or "页面打开时间过长" in (
        response.content.decode()
    )
    assert not Cancellation.objects.exists()


# --- cancelling -----------------------------------------------------------------------------------


def test_cancelling_takes_reason_check_and_confirmation(client, candidate):
    interview = InterviewFactory(candidate=candidate)

    assert "Something else" in client.get(url("cancel", interview)).content.decode()
    check = client.post(url("check", interview), OTHER).content.decode()
    assert interview.position.title in check
    assert OTHER["detail"] in check
    assert not Cancellation.objects.exists()
    done = client.post(url("cancel", interview), OTHER)

    assert done.status_code == 303
    assert done["Location"] == url("interview", interview)
    cancellation = Cancellation.objects.get()
    assert (cancellation.status, cancellation.detail) == ("approved", OTHER["detail"])
    page = client.get(done["Location"]).content.decode()
    assert reverse("cancellations:receipt", args=[cancellation.reference]) in page


@pytest.mark.parametrize("page", ["check", "cancel"])
@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"reason": "nonsense", "detail": "kept"},
        {"reason": "time_conflict\x00", "detail": "kept"},
        {"reason": "other", "detail": ""},
        {"reason": "other", "detail": "kept"},
        {"reason": "other", "detail": "kept" * 200},
        {"reason": "other", "detail": "kept\x00 and more"},
        {"reason": ["other", "unwell\x00"], "detail": "kept"},
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_is_kept(client, candidate, page, sent):
    interview = InterviewFactory(candidate=candidate)

    response = client.post(url(page, interview), sent)

    assert response.status_code == 422
    assert response.context["form"].errors
    assert ("kept" in response.content.decode()) is ("kept" in sent.get("detail", ""))
    assert 'role="alert"' in response.content.decode()
    assert not Cancellation.objects.exists()


def test_going_back_from_the_check_keeps_everything(client, candidate):
    interview = InterviewFactory(candidate=candidate)

    response = client.post(url("check", interview), {**OTHER, "back": "1"})

    assert response.status_code == 200
    page = response.content.decode()
    assert OTHER["detail"] in page
    assert 'value="other" checked' in page


def test_confirming_twice_is_one_cancellation_with_one_set_of_messages(client, candidate):
    interview = InterviewFactory(candidate=candidate)

    client.post(url("cancel", interview), OTHER)
    before = everything()
    again = client.post(url("cancel", interview), {"reason": "unwell"})

    assert again.status_code == 303
    assert everything() == before
    assert Cancellation.objects.count() == 1


def test_late_request_waits_for_hr_and_can_be_taken_back(client, candidate):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=2))

    client.post(url("cancel", interview), OTHER)
    waiting = client.get(url("interview", interview)).content.decode()
    assert "HR has your request to cancel" in waiting
    assert url("take_back", interview) in waiting
    kept = client.post(url("take_back", interview), follow=True)

    assert "Your interview stays as it was" in kept.content.decode()
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.BOOKED
    assert Cancellation.objects.get().status == CancellationStatus.LAPSED


def test_taking_back_what_is_already_decided_changes_nothing(client, candidate):
    interview = InterviewFactory(candidate=candidate)
    client.post(url("cancel", interview), OTHER)
    before = everything()

    page = client.post(url("take_back", interview), follow=True).content.decode()

    assert "decided meanwhile" in page
    assert everything() == before


@pytest.mark.parametrize(("given", "shown"), [({}, True), ({"completed": True}, False)])
def test_link_to_the_room_is_gone_once_the_interview_is_over(client, candidate, given, shown):
    interview = InterviewFactory(candidate=candidate, **given)

    page = client.get(url("interview", interview)).content.decode()

    assert (interview.link in page) is shown


def test_note_written_when_approving_is_read_by_the_candidate(client, candidate):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=2))
    client.post(url("cancel", interview), OTHER)
    services.approve_cancellation(
        Cancellation.objects.get().pk, by=UserFactory(lead=True), note="Good luck with your exam."
    )

    assert "Good luck with your exam." in client.get(url("interview", interview)).content.decode()
    for message in Notification.objects.filter(event="cancellation_done"):
        assert "Good luck with your exam." in render(message).body


def test_cancelling_takes_at_most_sixteen_statements(
    client, candidate, django_assert_max_num_queries
):
    interview = InterviewFactory(candidate=candidate, interviewer=UserFactory(recruiter=True))

    with django_assert_max_num_queries(16):
        client.post(url("cancel", interview), OTHER)

    assert Cancellation.objects.get().status == CancellationStatus.APPROVED


@pytest.mark.parametrize("given", [{"completed": True}, {"starts_in": timedelta(minutes=-5)}])
def test_cancelling_what_is_over_says_so(client, candidate, given):
    interview = InterviewFactory(candidate=candidate, **given)
    before = everything()

    page = client.post(url("cancel", interview), OTHER, follow=True).content.decode()

    assert "can no longer be cancelled" in page.lower()
    assert everything() == before


def test_without_any_policy_hr_decides_and_nothing_breaks(client, candidate):
    Policy.objects.update(is_active=False)
    interview = InterviewFactory(candidate=candidate)

    assert client.get(reverse("cancellations:mine")).status_code == 200
    assert client.get(url("interview", interview)).status_code == 200
    client.post(url("cancel", interview), OTHER)

    assert Cancellation.objects.get().status == CancellationStatus.REQUESTED


# --- receipts -------------------------------------------------------------------------------------


def receipt_of(candidate, client, **given) -> tuple[Cancellation, str]:
    interview = InterviewFactory(candidate=candidate, **given)
    client.post(url("cancel", interview), OTHER)
    cancellation = Cancellation.objects.get()
    return cancellation, reverse("cancellations:receipt", args=[cancellation.reference])


def test_receipt_is_public_verified_and_names_nobody(client, candidate):
    candidate.user.name = "欧阳娜娜"
    candidate.user.save()
    cancellation, address = receipt_of(candidate, client)

    response = Client(headers={"accept-language": "en"}).get(address)

    page = response.content.decode()
    assert response.status_code == 200
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert "欧***" in page
    for private in ("欧阳", candidate.user.mobile, OTHER["detail"], "Something else"):
        assert private not in page
    assert "Genuine" in page
    assert cancellation.interview.history.last().hash[:4] in page
    assert f"http://127.0.0.1:8000{address}" in page
    assert "<svg viewBox" in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (None, "not cancelled yet"),
        (services.approve_cancellation, "has been cancelled"),
        (services.decline_cancellation, "HR declined"),
    ],
)
def test_receipt_says_how_things_stand(client, candidate, decide, said):
    cancellation, address = receipt_of(candidate, client, starts_in=timedelta(hours=2))
    if decide:
        decide(cancellation.pk, by=UserFactory(lead=True))

    assert said in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("{reference}", 302),
        ("{lower}", 302),
        (" {half} - {rest} ", 302),
        ("0000000000", 404),
        ("", 400),
        ("12345", 400),
        ("\x00", 400),
        ("面" * 30, 400),
        ("9" * 5000, 400),
    ],
)
def test_receipts_are_found_however_the_number_is_typed(client, candidate, typed, status):
    cancellation, address = receipt_of(candidate, client)
    reference = cancellation.reference
    typed = typed.format(
        reference=reference, lower=reference.lower(), half=reference[:5], rest=reference[5:]
    )

    response = client.get(reverse("cancellations:check_receipt"), {"number": typed})

    assert response.status_code == status
    if status == 302:
        assert response["Location"] == address
    else:
        assert response.context["form"].errors


def test_lookalikes_in_a_receipt_number_are_forgiven(client):
    CancellationFactory(reference="1100ABCDEF")

    response = client.get(reverse("cancellations:check_receipt"), {"number": "iLoOabcdef"})

    assert response.status_code == 302


def test_unknown_receipt_is_a_404_in_our_own_words(client):
    response = client.get(reverse("cancellations:receipt", args=["0000000000"]))

    assert response.status_code == 404
    assert "页面不存在" in response.content.decode()


# --- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_help_is_open_to_everybody(client, settings, language):
    page = client.get(reverse("cancellations:help"), headers={"accept-language": language})

    assert page.status_code == 200
    assert settings.HOTLINE in page.content.decode()
    if language == "zh-hans":
        assert "取消面试后，还能申请该岗位吗？" in page.content.decode()
        assert "取消记录会影响未来求职吗？" in page.content.decode()


@pytest.mark.parametrize("role", [None, Role.CANDIDATE, Role.HR_LEAD])
def test_home_leads_everybody_to_their_place(client, role):
    expected = {
        None: reverse("accounts:sign_in"),
        Role.CANDIDATE: reverse("cancellations:mine"),
        Role.HR_LEAD: reverse("cancellations:queue"),
    }
    if role:
        client.force_login(UserFactory(role=role))

    assert client.get(reverse("home"))["Location"] == expected[role]


def test_positions_of_others_are_not_offered_as_filters(client, candidate):
    PositionFactory(title="Not mine")
    InterviewFactory.create_batch(2, candidate=candidate)

    assert "Not mine" not in client.get(reverse("cancellations:mine")).content.decode()


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({}, "and a message on your phone."),
        ({"mobile": None, "email": "li@mail.example"}, "You get a receipt, and an email."),
        ({"mobile": None}, "You get a receipt."),
    ],
)
def test_check_promises_only_messages_that_can_arrive(client, user, words):
    candidate = CandidateFactory(**{f"user__{name}": value for name, value in user.items()})
    client.force_login(candidate.user)
    interview = InterviewFactory(candidate=candidate)

    assert words in client.post(url("check", interview), OTHER).text


def test_reason_page_names_whichever_reasons_need_a_sentence(client, candidate):
    Reason.objects.filter(purpose=Purpose.CANCEL).update(needs_detail=False)
    Reason.objects.filter(code="unwell").update(needs_detail=True, label_en="I am ill")
    interview = InterviewFactory(candidate=candidate)

    page = client.get(url("cancel", interview)).text

    assert "Needed for “I am ill”. Only HR reads it." in page
    assert page.count("data-needs-detail") == 1


def test_asking_over_and_over_is_stopped_in_plain_words(client, candidate):
    interview = InterviewFactory(candidate=candidate, starts_in=timedelta(hours=2))
    for _ in range(services.REQUESTS_AN_HOUR):
        client.post(url("cancel", interview), OTHER)
        client.post(url("take_back", interview))
    before = everything()

    page = client.post(url("cancel", interview), OTHER, follow=True).content.decode()

    assert "You have asked several times within the hour" in page
    assert everything() == before
