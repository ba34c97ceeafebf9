"""Roles, the backend and the decorators."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from accounts.backends import IdentifierBackend
from accounts.decorators import candidate_required, desk_permission_required, desk_required
from accounts.permissions import PERMISSIONS, Role
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

DECIDE = "cancellations.decide_cancellation"
VIEWER = {"accounts.view_desk", "interviews.read_history"}
RECRUITER = VIEWER | {
    "cancellations.read_detail",
    "notifications.handle_work",
    "cancellations.cancel_for_company",
    "interviews.correct_interviews",
    "interviews.export_interviews",
    "interviews.manage_slots",
    "candidates.set_mark",
}
LEAD = RECRUITER | {
    DECIDE,
    "cancellations.edit_policies",
    "candidates.decide_appeal",
    "notifications.read_messages",
}
TABLE = {
    Role.CANDIDATE: set(),
    Role.DEPARTMENT_VIEWER: VIEWER,
    Role.RECRUITER: RECRUITER,
    Role.HR_LEAD: LEAD,
    Role.ADMINISTRATOR: LEAD
    | {
        "interviews.import_interviews",
        "accounts.manage_staff",
        "notifications.manage_connections",
        "notifications.edit_messages",
    },
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", sorted(set().union(*PERMISSIONS.values())))
def test_role_carries_its_permissions_and_no_others(role, permission):
    assert UserFactory.build(role=role).has_perm(permission) == (permission in TABLE[role])


@pytest.mark.parametrize("role", Role)
def test_only_administrators_hold_the_administration(role):
    user = UserFactory.build(role=role)
    expected = role == Role.ADMINISTRATOR

    assert user.has_perm("cancellations.change_policy") == expected
    assert user.has_module_perms("cancellations") == expected


def test_superuser_may_everything_and_inactive_nothing():
    assert UserFactory.build(is_superuser=True).has_perm("anything.at_all")
    for role in Role:
        inactive = UserFactory.build(role=role, is_superuser=True, is_active=False)
        assert not inactive.has_perm(DECIDE)
        assert not inactive.get_all_permissions()


def test_nobody_may_nothing():
    assert not IdentifierBackend().has_perm(AnonymousUser(), DECIDE)


def test_asking_for_a_permission_costs_no_query(django_assert_num_queries):
    lead = UserFactory(lead=True)

    with django_assert_num_queries(0):
        assert lead.has_perm(DECIDE)


@pytest.mark.parametrize("known_as", ["identifier", "username"])
def test_backend_knows_every_identifier(rf, known_as):
    user = UserFactory(national_id="11010519491231002X", email="li@mail.example")

    for value in [user.mobile, "11010519491231002x", "LI@mail.example"]:
        found = authenticate(rf.post("/"), **{known_as: value, "password": PASSWORD})
        assert found == user


def test_unknown_person_costs_as_many_hashes_as_a_wrong_password(rf, monkeypatch):
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed = []
    encode = MD5PasswordHasher.encode

    def counting(self, password, salt):
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    user = UserFactory()
    without = UserFactory()
    without.set_unusable_password()
    without.save()
    costs = []
    for identifier in [user.mobile, without.mobile, "13900000000", "not a number"]:
        hashed.clear()
        authenticate(rf.post("/"), identifier=identifier, password="wrong")
        costs.append(len(hashed))

    assert costs == [1, 1, 1, 1]


@pytest.mark.parametrize("identifier", ["\x00", "", "x" * 10_000, "@", "１３８"])
def test_backend_takes_anything(rf, identifier):
    assert authenticate(rf.post("/"), identifier=identifier, password="x") is None


@desk_required
def desk_page(request):
    return HttpResponse("desk")


@desk_permission_required(DECIDE)
def decision_page(request):
    return HttpResponse("decide")


@candidate_required
def portal_page(request):
    return HttpResponse("portal")


@pytest.mark.parametrize(
    ("role", "desk", "decide", "portal"),
    [
        (Role.CANDIDATE, 403, 403, 200),
        (Role.DEPARTMENT_VIEWER, 200, 403, 302),
        (Role.RECRUITER, 200, 403, 302),
        (Role.HR_LEAD, 200, 200, 302),
        (Role.ADMINISTRATOR, 200, 200, 302),
    ],
)
def test_pages_open_by_role(rf, role, desk, decide, portal):
    request = rf.get("/")
    request.user = UserFactory.build(role=role)

    statuses = []
    for page in (desk_page, decision_page, portal_page):
        try:
            statuses.append(page(request).status_code)
        except PermissionDenied:
            statuses.append(403)

    assert statuses == [desk, decide, portal]


def test_desk_pages_send_visitors_to_the_desks_own_door():
    assert desk_page.login_url == decision_page.login_url == "accounts:desk_sign_in"
