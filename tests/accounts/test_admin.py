"""People in the administration."""

import pytest
from django.urls import reverse
from rest_framework.authtoken.models import Token

from accounts import two_step
from accounts.models import AccessChange, User
from accounts.permissions import Role
from notifications.models import Notification
from tests.factories import DepartmentFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/user/"
NATIONAL_ID = "11010519491231002X"


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True, language="en")
    client.force_login(user)
    return user


def change_data(user, **changes):
    data = {"name": user.name, "role": user.role, "is_active": "on", "mobile": user.mobile or ""}
    return data | {"email": user.email or "", "language": "", "time_zone": ""} | changes


def test_index_shows_our_own_apps_only(client, administrator):
    """Not API tokens, which are as good as passwords, nor schedules, which the settings hold."""
    response = client.get("/admin/")

    shown = {app["app_label"] for app in response.context["app_list"]}
    insights = {"analytics", "alerts", "findings", "risk"}
    assert shown <= insights | {
        "accounts",
        "candidates",
        "interviews",
        "cancellations",
        "notifications",
    }
    assert client.get("/admin/authtoken/tokenproxy/").status_code == 404


@pytest.mark.parametrize(
    "term", ["138 1234 5678", "+8613812345678", NATIONAL_ID, "ZHANG@mail.example", "欧阳"]
)
def test_person_is_found_by_any_whole_identifier_or_name(client, administrator, term):
    user = UserFactory(
        name="欧阳修",
        mobile="+8613812345678",
        national_id=NATIONAL_ID,
        email="zhang@mail.example",
    )
    UserFactory(name="别人")

    response = client.get(LIST, {"q": term})

    assert list(response.context["cl"].result_list) == [user]


@pytest.mark.parametrize("term", ["\x00", "x" * 5000, "110105194912310021", "'"])
def test_search_takes_anything(client, administrator, term):
    assert client.get(LIST, {"q": term}).status_code in (200, 302)


def test_id_number_is_never_shown_in_full(client, administrator):
    user = UserFactory(national_id=NATIONAL_ID)
    DepartmentFactory(name="总装部").staff.add(user)

    page = client.get(f"{LIST}{user.pk}/change/").content.decode()

    assert "110***********002X" in page
    assert NATIONAL_ID not in page
    assert "总装部" in page


def test_numbers_are_normalised_and_the_id_number_set(client, administrator):
    user = UserFactory()

    response = client.post(
        f"{LIST}{user.pk}/change/",
        change_data(
            user, mobile="138 1234 5678", email="Li@Mail.example", new_national_id=NATIONAL_ID
        ),
    )

    assert response.status_code == 302
    user = User.objects.get(pk=user.pk)
    assert (user.mobile, user.email) == ("+8613812345678", "li@mail.example")
    assert user.national_id == NATIONAL_ID


def test_empty_id_number_keeps_what_is_there(client, administrator):
    user = UserFactory(national_id=NATIONAL_ID, email=None)

    client.post(f"{LIST}{user.pk}/change/", change_data(user, name="新名字"))

    user = User.objects.get(pk=user.pk)
    assert (user.name, user.national_id, user.email) == ("新名字", NATIONAL_ID, None)


@pytest.mark.parametrize(
    "bad",
    [
        {"mobile": "12"},
        {"email": "x"},
        {"new_national_id": "110105194912310021"},
        {"new_national_id": NATIONAL_ID},
        {"time_zone": "Mars/Olympus"},
        {"language": "tlh"},
        {"name": "\x00"},
    ],
)
def test_bad_values_get_a_message(client, administrator, bad):
    UserFactory(national_id=NATIONAL_ID)
    user = UserFactory()

    response = client.post(f"{LIST}{user.pk}/change/", change_data(user, **bad))

    assert response.status_code == 200
    assert response.context["errors"]


def test_person_without_a_password_is_added(client, administrator):
    response = client.post(
        f"{LIST}add/",
        {"name": "王五", "role": "candidate", "mobile": "13912345678", "usable_password": "false"},
    )

    assert response.status_code == 302
    user = User.objects.get(mobile="+8613912345678")
    assert not user.has_usable_password()


def test_password_is_set_in_a_form_of_its_own(client, administrator):
    user = UserFactory()
    Token.objects.create(user=user)

    response = client.post(
        f"{LIST}{user.pk}/password/",
        {"password1": "ein ganz neues", "password2": "ein ganz neues", "usable_password": "true"},
    )

    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password("ein ganz neues")
    assert not Token.objects.exists()
    assert Notification.objects.filter(event="password_changed", address=user.mobile).exists()


def test_only_a_superuser_makes_or_changes_superusers(client, administrator):
    root = UserFactory(administrator=True, is_superuser=True)

    client.post(f"{LIST}{administrator.pk}/change/", change_data(administrator, is_superuser="on"))

    assert not User.objects.get(pk=administrator.pk).is_superuser
    assert client.post(f"{LIST}{root.pk}/change/", change_data(root, name="x")).status_code == 403
    assert client.post(f"{LIST}{root.pk}/password/", {}).status_code == 403


def test_people_are_not_deleted(client, administrator):
    assert client.post(f"{LIST}{UserFactory().pk}/delete/", {"post": "yes"}).status_code == 403


def test_two_step_is_switched_off_for_who_lost_the_phone(client, administrator):
    lost, root = UserFactory(lead=True), UserFactory(administrator=True, is_superuser=True)
    for user in (lost, root):
        two_step.switch_on(user, "JBSWY3DPEHPK3PXP")

    client.post(LIST, {"action": "switch_off_two_step", "_selected_action": [lost.pk, root.pk]})

    assert not two_step.is_on(lost)
    assert two_step.is_on(root)
    history = client.get(f"{LIST}{lost.pk}/history/", HTTP_ACCEPT_LANGUAGE="en").text
    assert "Changed Two-step sign-in." in history


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_other_roles_stay_out(client, role):
    client.force_login(UserFactory(role=role))

    assert client.get(LIST, follow=True).status_code == 403


def test_own_password_and_way_out_are_those_of_the_product(client, administrator):
    assert client.get("/admin/password_change/").url == reverse("accounts:change_password")
    assert client.post("/admin/logout/").url == reverse("accounts:desk_sign_in")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("path", ["auth/group", "account/emailaddress", "mfa/authenticator"])
def test_what_nothing_looks_at_is_not_offered(client, path):
    client.force_login(UserFactory(administrator=True, is_superuser=True))

    assert client.get(f"/admin/{path}/").status_code == 404


def test_roles_are_not_given_here(client, administrator):
    """At the desk it ends sessions, is written down and told."""
    lead, candidate = UserFactory(lead=True), UserFactory()

    client.post(f"{LIST}{lead.pk}/change/", change_data(lead, role="administrator", is_active=""))
    client.post(f"{LIST}{candidate.pk}/change/", change_data(candidate, role="administrator"))

    assert User.objects.get(pk=lead.pk).role == Role.HR_LEAD
    assert User.objects.get(pk=lead.pk).is_active
    assert User.objects.get(pk=candidate.pk).role == Role.CANDIDATE


def test_staff_added_here_are_written_down(client, administrator):
    client.post(
        f"{LIST}add/",
        {
            "name": "王五",
            "role": "recruiter",
            "email": "wang@company.example",
            "usable_password": "false",
        },
    )

    change = AccessChange.objects.get()
    assert (change.person.name, change.kind, change.by) == ("王五", "invited", administrator)
