"""Staff: invited, given roles and departments, switched off and on, by administrators."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts import permissions, staff, two_step
from accounts.changes import record
from accounts.models import AccessChange, AccessChangeKind, User
from accounts.permissions import MANAGE_STAFF, Role
from notifications import rendering
from notifications.models import Notification
from tests.factories import PASSWORD, DepartmentFactory, UserFactory

pytestmark = pytest.mark.django_db

PEOPLE = "/desk/settings/people/"
INVITE = "/desk/settings/people/invite/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


def page_of(user):
    return reverse("accounts:person", args=[user.pk])


def act(client, user, action):
    return client.post(reverse("accounts:act_on_person", args=[user.pk, action]), follow=True)


def kinds(user):
    return [change.kind for change in AccessChange.objects.filter(person=user).order_by("pk")]


def mail_to(user):
    return rendering.render(Notification.objects.filter(address=user.email).latest("pk"))


def signed_in(client):
    return client.get("/me/").status_code == 200


def test_invited_person_chooses_a_password_and_is_in(client, administrator):
    department = DepartmentFactory(name="总装部")
    response = client.post(
        INVITE,
        {
            "name": "王芳",
            "email": "Wang.Fang@Company.example",
            "role": "recruiter",
            "departments": [department.pk],
        },
    )

    person = User.objects.get(email="wang.fang@company.example")
    assert response.url == page_of(person)
    assert (person.role, list(person.departments.all())) == (Role.RECRUITER, [department])
    assert not person.has_usable_password()
    mail = mail_to(person)
    assert "within 7 days" in mail.body
    link = re.search(r"https?://[^/]+(/password/reset/\S+)", mail.body)[1]
    theirs = Client()
    form_page = theirs.get(link, follow=True)
    new = {"new_password1": "ganz neu und lang", "new_password2": "ganz neu und lang"}
    theirs.post(form_page.redirect_chain[-1][0], new)
    assert signed_in(theirs)
    assert kinds(person) == ["invited"]
    assert AccessChange.objects.get().by == administrator


@pytest.mark.parametrize(("hours", "valid"), [(7 * 24 - 1, True), (7 * 24 + 1, False)])
def test_invitation_lasts_a_week_and_no_longer(administrator, hours, valid):
    person = staff.invite(
        name="王芳", email="a@b.example", role="recruiter", departments=[], by=administrator
    )
    token = staff.first_password_tokens.invite(person)

    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
        assert staff.first_password_tokens.check_token(person, token) is valid


def test_invitation_is_void_once_a_password_is_chosen(administrator):
    person = staff.invite(
        name="王芳", email="a@b.example", role="recruiter", departments=[], by=administrator
    )
    token = staff.first_password_tokens.invite(person)
    person.set_password(PASSWORD)

    assert not staff.first_password_tokens.check_token(person, token)
    assert not staff.first_password_tokens.check_token(person, token + "x")
    assert not staff.first_password_tokens.check_token(UserFactory(lead=True), token)


@pytest.mark.parametrize(
    "bad",
    [
        {"email": ""},
        {"email": "x"},
        {"email": "staff@taken.example"},
        {"email": "STAFF@taken.example"},
        {"name": ""},
        {"name": "\x00"},
        {"name": "x" * 101},
        {"role": "candidate"},
        {"role": "emperor"},
        {"role": ""},
        {"departments": ["999999"]},
        {"departments": ["x"]},
    ],
)
def test_bad_invitation_gets_a_message_and_sends_none(client, administrator, bad):
    UserFactory(email="staff@taken.example")
    good = {"name": "王芳", "email": "a@b.example", "role": "recruiter"}

    response = client.post(INVITE, good | bad)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not AccessChange.objects.exists()
    assert not Notification.objects.exists()


def test_role_and_departments_are_changed_recorded_and_told(client, administrator):
    old, new = DepartmentFactory(name="老部"), DepartmentFactory(name="新部")
    person = UserFactory(recruiter=True, departments=[old])

    client.post(page_of(person), {"role": "hr_lead", "departments": [new.pk]})

    person.refresh_from_db()
    assert (person.role, list(person.departments.all())) == (Role.HR_LEAD, [new])
    role, departments = AccessChange.objects.filter(person=person).order_by("pk")
    assert (role.kind, role.by, role.details) == (
        "role",
        administrator,
        {"before": "recruiter", "role": "hr_lead"},
    )
    assert departments.details == {"added": ["新部"], "removed": ["老部"]}
    bodies = [rendering.render(n).body for n in Notification.objects.order_by("pk")]
    assert "another role: HR lead" in bodies[0]
    assert "Added: 新部. Taken away: 老部." in bodies[1]
    shown = client.get(page_of(person)).content.decode()
    assert "Recruiter → HR lead" in shown
    assert "+ 新部" in shown


def test_saving_without_a_change_records_and_tells_nothing(client, administrator):
    person = UserFactory(recruiter=True)

    assert client.post(page_of(person), {"role": "recruiter"}).status_code == 302

    assert not AccessChange.objects.exists()
    assert not Notification.objects.exists()


@pytest.mark.parametrize("change", ["role", "deactivate", "end-sessions", "remove-second-step"])
def test_sessions_and_tokens_end_with_it(client, administrator, change):
    person, theirs = UserFactory(recruiter=True), Client()
    if change == "remove-second-step":
        two_step.switch_on(person, SECRET)
    theirs.force_login(person)
    Token.objects.create(user=person)
    assert signed_in(theirs)

    if change == "role":
        client.post(page_of(person), {"role": "department_viewer"})
    else:
        assert act(client, person, change).status_code == 200

    assert not signed_in(theirs)
    assert not Token.objects.exists()
    assert signed_in(client)


def test_departments_alone_end_no_session(client, administrator):
    person, theirs = UserFactory(recruiter=True), Client()
    theirs.force_login(person)

    client.post(page_of(person), {"role": "recruiter", "departments": [DepartmentFactory().pk]})

    assert signed_in(theirs)
    assert kinds(person) == ["departments"]


def test_switched_off_and_on_again(client, administrator):
    person, theirs = UserFactory(lead=True), Client()
    door = {"identifier": person.email, "password": PASSWORD}

    act(client, person, "deactivate")
    refused = theirs.post("/desk/sign-in/", door)
    act(client, person, "reactivate")
    let_in = theirs.post("/desk/sign-in/", door)

    assert (refused.status_code, let_in.status_code) == (200, 302)
    assert kinds(person) == ["deactivated", "reactivated"]
    assert "switched your access on again" in mail_to(person).body


def test_pressing_twice_is_recorded_once(client, administrator):
    person = UserFactory(lead=True)

    for _ in range(2):
        act(client, person, "deactivate")

    assert kinds(person) == ["deactivated"]


def test_lost_second_step_is_removed_and_told(client, administrator):
    person = UserFactory(lead=True)
    two_step.switch_on(person, SECRET)
    two_step.make_recovery_codes(person)

    page = act(client, person, "remove-second-step").content.decode()

    assert not two_step.is_on(person)
    assert two_step.recovery_codes_left(person) == 0
    assert "The second step of" in page
    assert kinds(person) == ["second_step_removed"]
    assert "removed your second step" in mail_to(person).body
    assert "has no second step" in act(client, person, "remove-second-step").content.decode()


@pytest.mark.parametrize("action", ["deactivate", "end-sessions", "remove-second-step"])
def test_what_takes_access_away_is_read_once_more_before_it_is_done(client, administrator, action):
    person = UserFactory(lead=True)
    two_step.switch_on(person, SECRET)
    path = reverse("accounts:act_on_person", args=[person.pk, action])
    shown = client.get(page_of(person)).content.decode()

    confirm = client.get(path)

    assert f'<a class="button button-small" href="{path}">' in shown
    assert f'action="{path}"' not in shown
    assert confirm.status_code == 200
    assert person.name in confirm.content.decode()
    assert "API tokens that act as them are revoked" in confirm.content.decode()
    assert kinds(person) == []
    client.post(path)
    assert len(kinds(person)) == 1


@pytest.mark.parametrize("action", ["reactivate", "invite-again"])
def test_who_had_to_sign_in_anew_comes_back_to_the_person(client, administrator, action):
    person = UserFactory(lead=True, is_active=False)

    response = client.get(reverse("accounts:act_on_person", args=[person.pk, action]))

    assert response.url == page_of(person)
    assert kinds(person) == []


def test_invitation_is_sent_again_only_to_who_has_no_password(client, administrator):
    invited, settled = UserFactory(lead=True), UserFactory(lead=True)
    invited.set_unusable_password()
    invited.save()

    act(client, invited, "invite-again")
    page = act(client, settled, "invite-again").content.decode()

    assert [n.event for n in Notification.objects.all()] == ["staff_invited"]
    assert "has a password already" in page


@pytest.mark.parametrize("action", ["deactivate", "end-sessions", "remove-second-step"])
def test_nobody_changes_their_own_access(client, administrator, action):
    two_step.switch_on(administrator, SECRET)

    act(client, administrator, action)
    form = client.post(page_of(administrator), {"role": "hr_lead"}).context["form"]

    administrator.refresh_from_db()
    assert form.non_field_errors() == [
        "Nobody changes their own access. Ask another administrator."
    ]
    assert (administrator.role, administrator.is_active) == (Role.ADMINISTRATOR, True)
    assert two_step.is_on(administrator)
    assert signed_in(client)
    assert not AccessChange.objects.exists()


def test_last_administrator_stays_even_where_others_give_roles(monkeypatch):
    lead, last = UserFactory(lead=True), UserFactory(administrator=True)
    allowed = permissions.PERMISSIONS | {Role.HR_LEAD: frozenset({MANAGE_STAFF})}
    monkeypatch.setattr(permissions, "PERMISSIONS", allowed)
    UserFactory(administrator=True, is_active=False)

    with pytest.raises(staff.Refused, match="last administrator"):
        staff.deactivate(last.pk, by=lead)
    with pytest.raises(staff.Refused, match="last administrator"):
        staff.change_access(last.pk, role=Role.RECRUITER, departments=[], by=lead)

    UserFactory(administrator=True)
    assert not staff.deactivate(last.pk, by=lead).is_active


def test_superusers_are_changed_by_superusers_only(client, administrator):
    root, other = (UserFactory(administrator=True, is_superuser=True) for _ in range(2))

    page = act(client, root, "deactivate").content.decode()

    assert "Only a superuser changes a superuser." in page
    assert not staff.deactivate(root.pk, by=other).is_active


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_services_refuse_whoever_may_not(role):
    somebody, person = UserFactory(role=role, email="x@y.example"), UserFactory(recruiter=True)

    with pytest.raises(PermissionDenied):
        staff.deactivate(person.pk, by=somebody)
    with pytest.raises(PermissionDenied):
        staff.invite(name="x", email="a@b.example", role="recruiter", departments=[], by=somebody)

    assert not AccessChange.objects.exists()


def test_candidates_are_none_of_it(client, administrator):
    candidate = UserFactory(name="候选人")

    assert "候选人" not in client.get(PEOPLE).content.decode()
    assert client.get(page_of(candidate)).status_code == 404
    assert client.post(page_of(candidate), {"role": "administrator"}).status_code == 404
    assert act(client, candidate, "deactivate").status_code == 404
    assert act(client, administrator, "promote").status_code == 404


def test_list_is_found_by_name_or_address_without_either_in_the_address(client, administrator):
    wang = UserFactory(lead=True, name="王芳", email="wang.fang@company.example")
    UserFactory(lead=True, name="李伟", email="li.wei@elsewhere.example")

    for text in ["王", "WANG.fang", "company.example"]:
        found = list(client.post(PEOPLE, {"text": text}).context["page"])
        assert wang in found
        assert "李伟" not in {person.name for person in found}
    assert list(client.post(PEOPLE, {"text": "nobody at all"}).context["page"]) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("role=hr_lead", {"on", "off", "bare"}),
        ("state=active", {"on", "bare", "me"}),
        ("state=inactive", {"off"}),
        ("state=no-second-step", {"bare", "me"}),
        ("role=hr_lead&state=inactive", {"off"}),
        ("role=emperor&state=bored", {"on", "off", "bare", "me"}),
        ("role=%00", {"on", "off", "bare", "me"}),
    ],
)
def test_list_is_narrowed(client, query, names):
    client.force_login(UserFactory(administrator=True, name="me"))
    two_step.switch_on(UserFactory(lead=True, name="on"), SECRET)
    UserFactory(lead=True, name="bare")
    UserFactory(lead=True, name="off", is_active=False)

    page = client.get(f"{PEOPLE}?{query}").context["page"]

    assert {person.name for person in page} == names


@pytest.mark.parametrize("sent", [{"text": "\x00"}, {"text": "x" * 5000}, {"page": "x"}])
def test_search_takes_anything(client, administrator, sent):
    assert client.post(PEOPLE, sent).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_list_query_count_does_not_grow(client, rows, administrator, django_assert_num_queries):
    for _ in range(rows):
        UserFactory(recruiter=True, departments=[DepartmentFactory()])

    with django_assert_num_queries(5):
        response = client.get(PEOPLE)

    assert len(response.context["page"]) == rows + 1


def test_changes_can_be_neither_altered_nor_removed(administrator):
    staff.deactivate(UserFactory(lead=True).pk, by=administrator)

    for destroy in (
        lambda: AccessChange.objects.update(kind="role"),
        lambda: AccessChange.objects.all().delete(),
    ):
        with (
            pytest.raises(ProgrammingError, match="Cannot update or delete"),
            transaction.atomic(),
        ):
            destroy()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("kind", list(AccessChangeKind))
def test_every_change_has_words_in_both_languages(administrator, kind, language):
    person = UserFactory(lead=True, language=language)
    details = {
        "role": {"before": "recruiter", "role": "hr_lead"},
        "departments": {"added": ["甲"], "removed": []},
    }.get(kind.value, {"name": "key"})
    record(person, kind, by=administrator, **details)

    body = mail_to(person).body.splitlines()

    assert len([line for line in body if line.strip()]) >= 4 or kind == AccessChangeKind.INVITED


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_switch_each_other_off():
    one, two = UserFactory(administrator=True), UserFactory(administrator=True)
    outcomes = []
    start = threading.Barrier(2)

    def switch_off(person, by):
        try:
            start.wait()
            staff.deactivate(person.pk, by=by)
            outcomes.append("done")
        except PermissionDenied:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=switch_off, args=pair) for pair in [(one, two), (two, one)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "refused"]
    assert User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).count() == 1


# --- Who may do what ------------------------------------------------------------------------------


def test_page_of_roles_says_what_the_permissions_are(client, administrator):
    UserFactory.create_batch(2, lead=True)
    UserFactory(lead=True, is_active=False)

    response = client.get("/desk/settings/roles/")

    columns = [role for role, _label, _count in response.context["columns"]]
    shown = {str(label): cells for label, cells in response.context["rows"]}
    for permission, label in permissions.LABELS.items():
        assert shown[str(label)] == [permission in permissions.PERMISSIONS[r] for r in columns]
    assert {r: count for r, _label, count in response.context["columns"]} == {
        "department_viewer": 0,
        "recruiter": 0,
        "hr_lead": 2,
        "administrator": 1,
    }


def test_every_permission_has_words():
    assert set(permissions.LABELS) == set().union(*permissions.PERMISSIONS.values())
