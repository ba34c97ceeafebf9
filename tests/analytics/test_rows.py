"""The interviews behind a figure: all of them, nobody else's, page by page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analytics import behind
from analytics.behind import ANY, NOT_OF_INTERVIEWS, Figure
from analytics.dashboards import rows
from analytics.figures import COMPANY_WIDE, Filter, Period
from analytics.measures import MAPS
from analytics.models import Cell
from cancellations.models import Reason
from interviews.keyset import Place
from interviews.models import Interview
from tests.analytics.test_pages import at, count
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
    UserFactory,
    WorkItemFactory,
    tell,
)

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
LATELY = Period(TODAY - timedelta(days=30), TODAY)
CONFLICT = Figure("reasons", ("candidate", "time_conflict"))


def cancelled(position, *, days=-3, hour=10, code="time_conflict", **fields):
    interview = InterviewFactory(
        position=position,
        slot=None,
        starts_at=at(days=days, hour=hour),
        status="cancelled",
        **fields,
    )
    reason = Reason.objects.get(purpose="cancel", code=code)
    CancellationFactory(interview=interview, approved=True, reason=reason)
    return interview


def declined(position, *, by):
    """A late request that somebody has not agreed to."""
    late = InterviewFactory(position=position, starts_in=timedelta(hours=5))
    CancellationFactory(
        interview=late,
        outcome="needs_hr",
        status="declined",
        decided_by=by,
        decided_at=at(days=0),
    )
    return late


def found(of=CONFLICT, chosen=COMPANY_WIDE, period=LATELY, after=None):
    """The references behind a figure, page after page."""
    told, has_more = [], True
    while has_more:
        page, has_more = behind.interviews(chosen, period, of, after=after)
        told += page
        if has_more:
            last = Interview.objects.get(pk=page[-1])
            after = Place(last.listed_at, last.pk)
    return told


def test_those_and_no_others_the_latest_first(position):
    early, late = (cancelled(position, days=days) for days in (-9, -2))
    cancelled(position, code="personal")
    cancelled(position, days=-40)
    InterviewFactory(position=position, slot=None, starts_at=at(), status="completed")
    count()

    assert found() == [late.pk, early.pk]


def test_narrowed_as_the_figure_is(position):
    other = cancelled(PositionFactory())
    ours = cancelled(position, kind="on_site")
    theirs = cancelled(position, source="referrals", source_key="1")
    count()

    assert set(found()) == {other.pk, ours.pk, theirs.pk}
    assert found(chosen=Filter(departments=(position.department_id,), source="")) == [ours.pk]
    assert found(chosen=Filter(positions=(position.pk,), kind="ai")) == [theirs.pk]
    assert found(chosen=Filter(departments=())) == []
    assert found(chosen=Filter(source="*")) == []


def test_every_key_of_every_map_leads_to_what_it_counts(position):
    """What counts once for an interview is one row; of one, several messages may count."""
    lead = UserFactory(lead=True)
    for days in (-5, -4):
        interview = cancelled(position, days=days, location="一号楼|A", extra={"expected": "no"})
        tell(interview, state="failed", error_code="30005")
        tell(interview, state="delivered", channel="email")
        WorkItemFactory(interview=interview, kind="anomaly", params={"code": "no_end"})
    declined(position, by=lead)
    missed = InterviewFactory(position=position, slot=None, starts_at=at(), status="no_show")
    AbsenceFactory(interview=missed)
    lapsed = InterviewFactory(position=position, slot=None, starts_at=at(), status="incomplete")
    SittingFactory(interview=lapsed, ended_at=at(), ending="time_out")
    count()
    days = Cell.objects.filter(scope="company", span="day", source="*", kind="*")
    seen = set()
    for name in {*MAPS} - NOT_OF_INTERVIEWS:
        for since, counted in days.exclude(**{name: None}).values_list("since", name):
            for key, number in counted.items():
                of = behind.figure(f"{name}:{key}")
                listed = found(of, period=Period(since, since))
                assert len(listed) == len({*listed}) == number, of
                assert rows.in_words_of(of), of
                seen.add(name)
    assert seen == {*MAPS} - NOT_OF_INTERVIEWS - {"saved", "handling"} | {"handling"}


def test_a_part_may_be_anything(position):
    conflict, personal = cancelled(position), cancelled(position, code="personal")
    count()

    assert {*found(Figure("reasons", ("candidate", ANY)))} == {conflict.pk, personal.pk}
    assert found(Figure("reasons", ("company", ANY))) == []
    assert found(Figure("reasons", ("candidate", "time%conflict"))) == []
    assert found(Figure("reasons", ("candidate", "time-conflict"))) == []


def test_pages_go_on_within_a_day_and_over_days(position, monkeypatch):
    monkeypatch.setattr(behind, "SIZE", 2)
    wanted = [
        cancelled(position, days=days, hour=hour).pk
        for days, hour in ((-1, 15), (-1, 12), (-1, 11), (-1, 11), (-3, 9), (-20, 9), (-21, 9))
    ]
    wanted[2], wanted[3] = wanted[3], wanted[2]  # of one time, the later number first
    count()

    assert found() == wanted


def test_messages_that_count_several_times_leave_no_page_short(position, monkeypatch):
    monkeypatch.setattr(behind, "SIZE", 2)
    listed = [cancelled(position, days=-days) for days in range(1, 6)]
    for interview in listed:
        for _each in range(4):
            tell(interview, state="failed", error_code="30005")
    count()

    page, has_more = behind.interviews(
        COMPANY_WIDE, LATELY, Figure("delivery", ("sms", "twilio", "failed", "30005"))
    )

    assert (page, has_more) == ([each.pk for each in listed[:2]], True)


def test_as_many_queries_for_many_as_for_few(position, desk):
    cancelled(position)
    count()
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(desk)
    for days in range(1, 9):
        cancelled(position, days=-days)
    count()
    with CaptureQueriesContext(connection) as many:
        page(desk)

    assert len(many) == len(few)


# --- the page -------------------------------------------------------------------------------------


def page(client, figure=str(CONFLICT), status=200, **query):
    response = client.get(reverse("analytics:rows"), {"figure": figure, **query})
    assert response.status_code == status
    return response.text


def test_page_says_what_it_lists_and_leads_to_each(position, desk):
    interview = cancelled(position)
    stranger = cancelled(PositionFactory())
    count()

    shown = page(desk)

    reason = Reason.objects.get(purpose="cancel", code="time_conflict")
    assert f"Candidates cancelled · {reason.label_en}" in shown
    assert reverse("cancellations:desk_interview", args=[interview.reference]) in shown
    assert interview.candidate.user.name in shown
    assert stranger.reference not in shown


def test_page_goes_on_and_back_to_the_latest(position, desk, monkeypatch):
    monkeypatch.setattr(behind, "SIZE", 2)
    listed = [cancelled(position, days=-days) for days in (1, 2, 3)]
    count()

    first = page(desk, period="last_30", source="~")
    second = page(desk, period="last_30", source="~", after=listed[1].reference)

    assert f"after={listed[1].reference}" in first
    assert "source=~" in first or "source=%7E" in first
    assert listed[2].reference in second
    assert listed[0].reference not in second
    assert "From the latest" in second


def test_nothing_there_says_so(desk):
    assert "No interview is like that" in page(desk)


@pytest.mark.parametrize(
    "figure",
    ["", "reasons", "reasons:", "reasons:candidate", "facts:a|b", "refill:place|free|open",
     "reasons:a\0|b", "hours:starts|1", "notice:x", "candidate|time_conflict"],
)  # fmt: skip
def test_what_is_no_figure_is_not_found(desk, figure):
    page(desk, figure, status=404)


@pytest.mark.parametrize(
    "figure",
    ["hours:starts|9|99", "handling:99999999999999999999|99", "reminders:rule|x|came",
     "reminders:rule|99999999999999999999|came", "reasons:%|_", "venues:%|missed",
     "reasons:nobody|nothing"],
)  # fmt: skip
def test_a_key_that_nothing_has_lists_nothing(desk, figure):
    assert "No interview is like that" in page(desk, figure)


def test_who_decided_is_told_to_who_decides_and_of_staff_alone(position, desk, client):
    lead = UserFactory(lead=True, name="吴建国", departments=[position.department])
    late = declined(position, by=lead)
    count()
    whole = Period(TODAY - timedelta(days=3), TODAY + timedelta(days=3))
    days = {"since": whole.since.isoformat(), "until": whole.until.isoformat()}

    assert "吴建国" in page(desk, f"handling:{lead.pk}|*", **days)
    assert late.reference in page(desk, f"handling:{lead.pk}|*", **days)
    candidate = late.candidate.user
    assert candidate.name not in page(
        desk, f"handling:{candidate.pk}|*", since="2020-01-01", until="2020-01-02"
    )
    client.force_login(UserFactory(viewer=True, departments=[position.department]))
    page(client, f"handling:{lead.pk}|*", status=404, **days)
    page(client, "handling:*|3", **days)


def test_a_filter_that_is_not_understood_says_so(position, desk):
    assert "error" in page(desk, position="999999")
