"""What candidates asked, and whether it helped: counted, narrowed, masked."""

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.dashboards import help
from analytics.figures import Filter, Period, Rate
from cancellations.models import FaqEntry, HelpConversation
from tests.analytics.findings.counted import counted, day, today
from tests.analytics.test_pages import panels, text
from tests.factories import DepartmentFactory, InterviewFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db
MONTH = Period(day(29), today())


def noon(ago=3):
    zone = timezone.get_default_timezone()
    return datetime.combine(day(ago), time(12), tzinfo=zone)


def talk(position, *turns, reason="", at=None, **fields):
    """One conversation; a turn is what was offered, the entry that answered, and the verdict."""
    interview = InterviewFactory(position=position, slot=None)
    begun = HelpConversation.objects.create(
        interview=interview, reason=reason, started_at=at or noon(), **fields
    )
    for offer, entry, helped, *asked in turns:
        begun.turns.create(
            offer=offer, faq=entry, helped=helped, asked=asked[0] if asked else "", at=noon()
        )
    return begun


def page(client, query=""):
    response = client.get(f"{reverse('analytics:guide')}?{query}")
    assert response.status_code == 200
    return response


def test_conversations_and_what_was_offered_are_counted(position):
    entry = FaqEntry.objects.earliest("pk")
    talk(
        position,
        ("answer", entry, True),
        ("guide", None, False),
        reason="difficulty",
        stayed=True,
    )
    talk(position, ("answer", entry, None), reason="difficulty", stayed=False)
    talk(position, ("person", None, None), handed_over_at=timezone.now())
    found = help.heard(Filter(), MONTH)
    assert found.whole == help.Talks(begun=3, handed_over=1, stayed=1, left=1)
    assert found.talks["difficulty"] == help.Talks(begun=2, stayed=1, left=1)
    assert found.answers == {entry.pk: help.Told(offered=2, helped=1)}
    assert found.beside == {"guide": help.Told(1, 0, 1), "person": help.Told(1)}
    assert found.verdicts.rate == Rate(1, 2)


def test_days_are_those_of_the_company_from_midnight_to_midnight(position):
    zone = timezone.get_default_timezone()
    first = datetime.combine(MONTH.since, time.min, tzinfo=zone)
    last = datetime.combine(MONTH.until, time.max, tzinfo=zone)
    for at in (first - timedelta(seconds=1), first, last, last + timedelta(seconds=1)):
        talk(position, at=at)
    with timezone.override("America/New_York"):
        assert help.heard(Filter(), MONTH).whole.begun == 2


def test_it_is_narrowed_like_the_figures(department, position):
    talk(position)
    talk(PositionFactory(department=department))
    talk(PositionFactory())
    HelpConversation.objects.create(interview=None, started_at=noon())

    def begun(**chosen):
        return help.heard(Filter(**chosen), MONTH).whole.begun

    assert begun() == 4
    assert begun(departments=(department.pk,)) == 2
    assert begun(departments=(department.pk,), positions=(position.pk,)) == 1
    assert begun(departments=(department.pk,), kind="on_site") == 0
    assert begun(departments=(department.pk,), source="referral") == 0
    assert begun(departments=()) == 0


def test_the_page_shows_what_was_asked_and_whether_it_helped(desk, position):
    entry = FaqEntry.objects.earliest("pk")
    for number in range(20):
        talk(position, ("answer", entry, number < 15), reason="difficulty", stayed=number < 10)
    talk(position, ("person", None, None), handed_over_at=timezone.now())
    response = page(desk)
    found = panels(response)
    assert found["answers"].title == "Answers helped in 75 % of what was judged"
    assert found["answers"].table.rows == [[entry.question_en, 20, Rate(15, 20)]]
    assert [row[:2] for row in found["topics"].table.rows] == [
        ["I find it hard to use", 20],
        ["In their own words", 1],
    ]
    tiles = {tile.label: tile.value for tile in response.context["board"].tiles}
    assert tiles["Stayed, of those known"] == "50 %"
    assert tiles["Went on with a person"] == "4.8 %"


def test_an_answer_that_was_removed_counts_on_without_its_name(desk, position):
    entry = FaqEntry.objects.earliest("pk")
    talk(position, ("answer", entry, True))
    entry.delete()
    assert [row[0] for row in panels(page(desk))["offered"].table.rows] == ["An answer"]


def test_teams_stand_in_the_order_of_names_with_their_sample(client, settings):
    settings.LANGUAGE_CODE = "en"
    for name, left in (("C", 1), ("A", 5), ("B", 30)):
        team = PositionFactory(department=DepartmentFactory(name=name))
        counted(team, booked=40, attended=40, exited=left)
    client.force_login(UserFactory(administrator=True))
    rows = panels(page(client))["teams"].table.rows
    assert [(row[0], row[2].value) for row in rows] == [
        ("A", Rate(5, 40)),
        ("B", Rate(30, 40)),
        ("C", Rate(1, 40)),
    ]


def test_nothing_that_other_departments_asked(desk, position):
    talk(PositionFactory(), ("person", None, None, "能不能换到周六"))
    response = page(desk)
    assert response.context["board"].is_empty
    assert "换到周六" not in text(response)


def test_questions_without_an_answer_are_masked_and_only_for_who_may_read_them(
    client, desk, department, position
):
    begun = talk(position, ("person", None, None, "我叫王小明,电话 13812345678,宿舍在哪里"))
    name = begun.interview.candidate.user.name
    begun.turns.create(offer="person", asked=f"{name} 想问班车", at=noon())
    begun.turns.create(offer="guide", asked="怎么操作", at=noon())
    shown = text(page(desk))
    assert "What nobody had an answer to" in shown
    assert "宿舍在哪里" in shown
    assert "班车" in shown
    assert "怎么操作" not in shown
    for personal in ("王小明", "13812345678", name):
        assert personal not in shown
    client.force_login(UserFactory(viewer=True, departments=[department]))
    assert "宿舍" not in text(page(client))
