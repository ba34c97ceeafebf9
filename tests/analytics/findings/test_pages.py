"""The pages of findings and actions: what they show, to whom, and what may be written there."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import ConfigurationChange
from analytics import cells
from analytics.findings import queries
from analytics.findings.models import Action
from interviews.models import Position
from tests.analytics.findings.counted import counted, day, expected, logged, today
from tests.analytics.findings.test_looking import STANDS_OUT
from tests.analytics.test_pages import interviews, text
from tests.factories import DepartmentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db
QUERIES = 20


@pytest.fixture
def lead(department, settings):
    settings.LANGUAGE_CODE = "en"
    return UserFactory(lead=True, name="周莉", departments=[department])


@pytest.fixture
def recruiter(department, settings):
    settings.LANGUAGE_CODE = "en"
    return UserFactory(recruiter=True, departments=[department])


def page(client, name="index", query="", *args, status=200):
    response = client.get(f"{reverse(f'findings:{name}', args=args)}?{query}")
    assert response.status_code == status
    return response


def stands_out(position):
    """Its absences, beside another position's; a little of all else."""
    expected(position, missed=40, of=100)
    other = PositionFactory(department=position.department)
    expected(other, missed=5, of=100)
    counted(position, requests={"cancel|in_time": 50, "cancel|overdue": 50})
    counted(position, reasons={"candidate|time_conflict": 50, "exit|difficulty": 50})


# --- findings -------------------------------------------------------------------------------------


def test_without_a_single_interview_it_says_so(desk):
    assert "Nothing to count here" in text(page(desk))


def test_a_period_ahead_lies_ahead(desk, position):
    stands_out(position)
    assert "This period lies ahead" in text(page(desk, query="since=2099-01-01"))


def test_of_one_interview_nothing_stands_out(desk, position):
    interviews(position, 1, no_show=True)
    while cells.recount_batch():
        pass
    shown = text(page(desk))
    assert "Nothing stands out" in shown
    assert "Log what was done" not in shown


def test_what_stands_out_is_told_with_what_may_help(desk, position):
    stands_out(position)
    shown = text(page(desk))
    assert "装配技术员: 40 % of 100 did not come; of the others, 5 %" in shown
    assert "percentage points (95 per cent interval)" in shown
    assert "Log what was done" in shown
    assert "Change the reminders" in shown


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_finding_and_every_proof_can_be_told_in_both_languages(
    desk, lead, department, position, language
):
    lead.language = language
    lead.save()
    for values, _sentence, _touches in STANDS_OUT.values():
        counted(position, **values)
    stands_out(position)
    for ago, missed in ((50, 40), (30, 15), (20, 1)):
        expected(position, missed=missed, of=100, on=day(ago))
        expected(PositionFactory(department=department), missed=missed, of=100, on=day(ago))
    paths = [reverse("findings:index"), reverse("findings:actions"), reverse("analytics:guide")]
    for ago in (0, 10, 15, 25, 40, 200):
        action = logged(lead, position, ago=ago, kind="ai", source="")
        paths.append(reverse("findings:action", args=[action.pk]))
    for path in paths:
        shown = text(desk.get(path))
        assert "%(" not in shown
        assert "%%" not in shown
        assert "None" not in shown


def test_it_counts_what_real_interviews_left_behind(desk, department, position):
    interviews(position, 12, completed=True)
    interviews(position, 12, no_show=True)
    interviews(PositionFactory(department=department), 30, completed=True)
    while cells.recount_batch():
        pass
    assert "装配技术员: 50 % of 24 did not come; of the others, 0 %" in text(page(desk))


def test_who_only_reads_has_nothing_to_log(client, department, position, settings):
    settings.LANGUAGE_CODE = "en"
    stands_out(position)
    client.force_login(UserFactory(viewer=True, departments=[department]))
    response = page(client)
    assert "装配技术员: 40 %" in text(response)
    assert "Log what was done" not in text(response)
    page(client, "log", "found=no_show&since=2026-01-01&until=2026-01-31", status=403)


@pytest.mark.parametrize("more", [0, 5])
def test_as_many_queries_for_many_findings_as_for_one(
    desk, department, position, more, django_assert_max_num_queries
):
    stands_out(position)
    for _each in range(more):
        stands_out(PositionFactory(department=department))
    page(desk)
    with django_assert_max_num_queries(QUERIES):
        page(desk, query="period=last_90")


def test_all_pages_of_figures_lead_here_and_keep_the_period(desk):
    shown = desk.get(f"{reverse('analytics:overview')}?period=last_90").content.decode()
    for name in ("findings:index", "analytics:guide"):
        assert f'href="{reverse(name)}?period=last_90"' in shown
    assert f'href="{reverse("findings:actions")}"' in shown  # of any period


# --- logging --------------------------------------------------------------------------------------


def sent(position, **more):
    return {
        "concerns": f"position:{position.pk}",
        "found": "no_show",
        "since": str(day(29)),
        "until": str(today()),
        "kind": "",
        "source": "",
        "done": "slots",
        "done_on": str(today()),
        "note": "周六加开两场",
    } | more


def test_a_finding_leads_to_a_form_that_knows_it(desk, position):
    stands_out(position)
    (finding,) = [each for each in page(desk).context["findings"] if each.code == "no_show"]
    form = desk.get(finding.log_url).context["form"]
    assert form["concerns"].initial == f"position:{position.pk}"
    assert form["found"].initial == "no_show"
    assert form["done_on"].initial == today()
    assert "Many do not come" in text(desk.get(finding.log_url))


@pytest.mark.parametrize("name", ["category", "recruiter"])
def test_what_was_found_in_part_of_what_actions_concern_is_not_logged(
    desk, recruiter, position, name
):
    """What would be kept, and every figure since, would be of other interviews."""
    Position.objects.filter(pk=position.pk).update(recruiter=recruiter)
    counted(position, invited=100, invitations={"answered": 60, "ran_out": 40})
    position.refresh_from_db()
    query = f"{name}={getattr(position, f'{name}_id')}"
    said = "take the category and the recruiter away"

    narrowed = page(desk, query=query)
    assert [each.log_url for each in narrowed.context["findings"]] == [""]
    assert "Log what was done" not in text(narrowed)
    assert said in text(narrowed)
    for asked_for in ("", f"{query}&position={position.pk}"):
        whole = page(desk, query=asked_for)
        assert "Log what was done" in text(whole)
        assert said not in text(whole)


def test_what_was_done_is_kept_with_the_figures_of_then(desk, lead, position):
    stands_out(position)
    response = desk.post(reverse("findings:log"), sent(position))
    action = Action.objects.get()
    assert response.url == reverse("findings:action", args=[action.pk])
    assert (action.numerator, action.denominator) == (40, 100)
    assert (action.measure, action.scope) == ("no_show", "position")
    assert (action.position, action.department) == (position, position.department)
    assert (action.done, action.note, action.logged_by) == ("slots", "周六加开两场", lead)
    assert action.source == "*"


def test_the_same_sent_again_is_the_one_there_is(desk, position):
    stands_out(position)
    first = desk.post(reverse("findings:log"), sent(position))
    again = desk.post(reverse("findings:log"), sent(position))
    desk.post(reverse("findings:log"), sent(position, note="还加了一场"))
    assert first.url == again.url
    assert Action.objects.count() == 2


def test_it_may_concern_a_department_or_only_a_source_and_a_kind(desk, department, position):
    counted(position, source="referral", kind="ai", attended=60, no_show=40)
    counted(position, source="", kind="on_site", attended=100)
    concerns = f"department:{department.pk}"
    desk.post(reverse("findings:log"), sent(position, concerns=concerns))
    narrowed = {"concerns": concerns, "source": "referral", "kind": "ai"}
    desk.post(reverse("findings:log"), sent(position, **narrowed))
    desk.post(reverse("findings:log"), sent(position, concerns=concerns, source="~"))
    rates = [(each.numerator, each.denominator) for each in Action.objects.order_by("pk")]
    assert rates == [(40, 200), (40, 100), (0, 100)]
    assert [each.source for each in Action.objects.order_by("pk")] == ["*", "referral", ""]


def test_administrators_log_for_the_whole_company(client, position):
    stands_out(position)
    client.force_login(UserFactory(administrator=True))
    client.post(reverse("findings:log"), sent(position, concerns="company"))
    action = Action.objects.get()
    assert (action.scope, action.department, action.position) == ("company", None, None)
    assert (action.numerator, action.denominator) == (45, 200)


@pytest.mark.parametrize(
    "wrong",
    [
        {"done": ""},
        {"done": "other", "note": " "},
        {"done_on": "2020-01-01"},
        {"done_on": ""},
        {"concerns": "company"},
        {"concerns": ""},
        {"kind": "nothing"},
        {"note": "字" * 1001},
        {"source": "x" * 41},
    ],
    ids=str,
)
def test_what_cannot_be_is_not_kept(desk, position, wrong):
    response = desk.post(reverse("findings:log"), sent(position, **wrong))
    assert response.status_code == 422
    assert not Action.objects.exists()


def test_a_day_to_come_is_not_kept(desk, position):
    tomorrow = str(today() + timedelta(days=1))
    response = desk.post(reverse("findings:log"), sent(position, done_on=tomorrow))
    assert "log it when it is done" in text(response)


@pytest.mark.parametrize(
    "query",
    ["", "found=nothing&since=2026-01-01&until=2026-01-31", "found=no_show&since=x&until=y",
     "found=no_show&since=2026-02-01&until=2026-01-31"],
)  # fmt: skip
def test_without_something_that_stood_out_there_is_nothing_to_log(desk, query):
    assert desk.get(f"{reverse('findings:log')}?{query}").url == reverse("findings:index")


def test_nobody_logs_for_other_departments(desk, position):
    elsewhere = PositionFactory()
    for concerns in (f"position:{elsewhere.pk}", f"department:{elsewhere.department_id}"):
        response = desk.post(reverse("findings:log"), sent(position, concerns=concerns))
        assert response.status_code == 422


# --- actions --------------------------------------------------------------------------------------


def test_without_actions_it_says_where_they_come_from(desk):
    assert "Nothing logged yet" in text(page(desk, "actions"))


def test_actions_are_listed_for_the_departments_they_concern(client, desk, lead, position):
    action = logged(lead, position)
    assert "20 % 20 of 100" in text(page(desk, "actions"))
    other = UserFactory(lead=True, departments=[DepartmentFactory()])
    client.force_login(other)
    assert "Nothing logged yet" in text(page(client, "actions"))
    for name in ("action", "edit", "remove"):
        page(client, name, "", action.pk, status=404)
    # Whoever has the position now has its actions.
    Position.objects.filter(pk=position.pk).update(department=other.departments.get())
    assert page(client, "action", "", action.pk)
    assert not queries.visible_actions(lead).exists()


def test_what_concerns_the_company_is_for_who_sees_all_of_it(client, desk, lead, position):
    admin = UserFactory(administrator=True)
    action = logged(admin, position, scope="company", position=None, department=None)
    page(desk, "action", "", action.pk, status=404)
    client.force_login(admin)
    assert "The whole company" in text(page(client, "action", "", action.pk))


@pytest.mark.parametrize("rows", [1, 3])
def test_as_many_queries_for_many_actions_as_for_one(
    desk, lead, position, rows, django_assert_max_num_queries
):
    for _each in range(rows):
        logged(lead, position)
    page(desk, "actions")
    with django_assert_max_num_queries(8):
        page(desk, "actions")


def test_the_page_of_an_action_asks_twenty_times_at_most(
    desk, lead, position, django_assert_max_num_queries
):
    for ago in range(12, 120):
        expected(position, missed=1, of=10, on=day(ago))
    action = logged(lead, position)
    page(desk, "action", "", action.pk)
    with django_assert_max_num_queries(QUERIES):
        response = page(desk, "action", "", action.pk)
    assert 'class="chart-marked"' in response.content.decode()


def test_before_and_since_stand_beside_one_another(desk, lead, department, position):
    other = PositionFactory(department=department)
    for ago, missed in ((50, 40), (30, 15)):
        expected(position, missed=missed, of=100, on=day(ago))
        expected(other, missed=10, of=100, on=day(ago))
    shown = text(page(desk, "action", "", logged(lead, position).pk))
    assert "Improved since then: 40 % before, 15 % since." in shown
    assert "−25 points (95 per cent interval: −36.3 to −12.7)" in shown
    assert "The other interviews you see: 10 % before, 10 % since." in shown
    assert "not that what was done is why" in shown
    assert "更多晚间场次" in shown


def test_the_days_on_either_side_can_be_chosen(desk, lead, position):
    action = logged(lead, position)
    assert page(desk, "action", "", action.pk).context["days"] == 28
    assert page(desk, "action", "days=56", action.pk).context["days"] == 56
    assert page(desk, "action", "days=3000000000", action.pk).context["days"] == 28


def test_others_of_departments_one_does_not_see_are_in_no_figure(desk, lead, position):
    for ago in (50, 30):
        expected(position, missed=40, of=100, on=day(ago))
        expected(PositionFactory(), missed=90, of=100, on=day(ago))
    shown = text(page(desk, "action", "", logged(lead, position).pk))
    assert "There are no other interviews that you see" in shown


def test_a_position_that_was_removed_leaves_a_page_that_says_so(desk, lead, position):
    action = logged(lead, position)
    position.delete()
    shown = text(page(desk, "action", "", action.pk))
    assert "There is nothing to compare any more" in shown
    assert "20 %" in shown
    assert "not known any more" in text(page(desk, "actions"))


def test_with_nothing_counted_it_is_too_little(desk, lead, position):
    shown = text(page(desk, "action", "", logged(lead, position, ago=0).pk))
    assert "Too early to tell" in shown
    shown = text(page(desk, "action", "", logged(lead, position).pk))
    assert "Too little to tell." in shown


def test_the_file_holds_figures_and_neither_notes_nor_names(desk, lead, position):
    logged(lead, position)
    response = desk.get(reverse("findings:actions_file"))
    body = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    titles, row = csv.reader(io.StringIO(body))
    assert titles[-3:] == ["Then: number", "Then: of", "Then: per cent"]
    assert row[-3:] == ["20", "100", "20.0"]
    assert "更多晚间场次" not in body
    assert "周莉" not in body


# --- changing and taking away ---------------------------------------------------------------------


def changed(**more):
    return {"done": "reminders", "done_on": str(day(10)), "note": "改了"} | more


def test_who_logged_it_and_who_leads_may_change_it(client, lead, recruiter, position):
    action = logged(recruiter, position)
    for user in (recruiter, lead, UserFactory(administrator=True)):
        client.force_login(user)
        assert "Take away" in text(page(client, "action", "", action.pk))
        note = f"改了 {user.pk}"
        client.post(reverse("findings:edit", args=[action.pk]), changed(note=note))
        action = Action.objects.get()
        assert (action.done, action.done_on, action.note) == ("reminders", day(10), note)
        assert (action.numerator, action.logged_by) == (20, recruiter)


def test_others_may_not(client, lead, department, position, settings):
    settings.LANGUAGE_CODE = "en"
    action = logged(lead, position)
    for role in ("recruiter", "viewer"):
        client.force_login(UserFactory(**{role: True}, departments=[department]))
        assert "Take away" not in text(page(client, "action", "", action.pk))
        for name in ("edit", "remove"):
            response = client.post(reverse(f"findings:{name}", args=[action.pk]), changed())
            assert response.status_code == 403
    assert Action.objects.get().done == "slots"


def test_who_logged_it_loses_it_with_the_department(client, recruiter, position):
    action = logged(recruiter, position)
    recruiter.departments.clear()
    client.force_login(recruiter)
    page(client, "edit", "", action.pk, status=404)


def test_what_cannot_be_is_not_changed(desk, lead, position):
    action = logged(lead, position)
    response = desk.post(reverse("findings:edit", args=[action.pk]), changed(done="x"))
    assert response.status_code == 422
    assert Action.objects.get().done == "slots"


def test_it_is_taken_away_only_when_confirmed(desk, lead, position):
    action = logged(lead, position)
    assert "Take this away?" in text(page(desk, "remove", "", action.pk))
    assert Action.objects.exists()
    response = desk.post(reverse("findings:remove", args=[action.pk]))
    assert response.url == reverse("findings:actions")
    assert not Action.objects.exists()


def test_history_keeps_who_did_what_without_the_note(desk, lead, position):
    desk.post(reverse("findings:log"), sent(position))
    action = Action.objects.get()
    desk.post(reverse("findings:edit", args=[action.pk]), changed())
    desk.post(reverse("findings:remove", args=[action.pk]))
    changes = ConfigurationChange.objects.filter(kind="findings.action").order_by("pk")
    assert [each.action for each in changes] == ["added", "changed", "removed"]
    assert {each.actor for each in changes} == {f"user:{lead.pk}"}
    assert {each for change in changes for each in change.departments} == {position.department_id}
    kept = " ".join(str((each.before, each.after)) for each in changes)
    assert not re.search("周六|改了", kept)
    assert "What was done about findings" in text(desk.get("/desk/history/configuration/"))
