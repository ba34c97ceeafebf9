"""Who works at the desk, and as what: invited, given a role and departments, switched off and on.

Every step is written down (AccessChange) and told to the person concerned. Nobody changes their own
access, and one active administrator always remains.
"""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from rest_framework.authtoken.models import Token

from accounts import notices, permissions, queries, services, two_step
from accounts.changes import record
from accounts.models import AccessChangeKind, User
from accounts.permissions import MANAGE_STAFF, Role
from notifications.services import notify

INVITATION_DAYS = 7


class Refused(Exception):
    """Its text says why, to the administrator who tried."""


class FirstPasswordTokens(PasswordResetTokenGenerator):
    """Takes Django's tokens for a forgotten password, and those of an invitation, which last
    INVITATION_DAYS: people do not read their mail within the hour. Both are void after a new
    password and after a sign-in."""

    salt = "accounts.invitation"

    def invite(self, user: User) -> str:
        return signing.dumps(self._state(user), salt=self.salt)

    def check_token(self, user: Any, token: str | None) -> bool:
        if super().check_token(user, token):
            return True
        try:
            state = signing.loads(token or "", salt=self.salt, max_age=INVITATION_DAYS * 24 * 3600)
        except signing.BadSignature:
            return False
        return user is not None and constant_time_compare(str(state), self._state(user))

    def _state(self, user: User) -> str:
        """What changes with a password, a sign-in and a new address."""
        value = f"{user.pk}:{user.password}:{user.last_login}:{user.email}"
        return signing.Signer(salt=self.salt).signature(value)


first_password_tokens = FirstPasswordTokens()


@transaction.atomic
def invite(*, name: str, email: str, role: str, departments: Collection[Any], by: User) -> User:
    """A new member of staff, who gets a link to choose a password. Raises Refused where the
    address is taken."""
    _lock_administrators(by)
    user = User(name=name, email=email, role=role)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Refused(_("Somebody with this email address exists already.")) from None
    user.departments.set(departments)
    record(user, AccessChangeKind.INVITED, by=by, tell=False, role=role)
    _send_invitation(user)
    return user


@transaction.atomic
def invite_again(person_id: int, *, by: User) -> User:
    """Another link, for who has not chosen a password yet. Raises Refused where there is one."""
    person = _lock(person_id, by)
    if person.has_usable_password() or not person.is_active:
        raise Refused(_("%(name)s has a password already.") % {"name": person.name})
    record(person, AccessChangeKind.INVITED, by=by, tell=False, role=person.role)
    _send_invitation(person)
    return person


@transaction.atomic
def change_access(person_id: int, *, role: str, departments: Collection[Any], by: User) -> User:
    """Give a role and departments. A new role ends the person's sessions and API tokens: what is
    open on their screens was drawn for another one."""
    person = _lock(person_id, by)
    if role != person.role:
        before, person.role = person.role, role
        _keep_an_administrator(person)
        person.save(update_fields=["role"])
        _end_sessions(person, by=by)
        record(person, AccessChangeKind.ROLE, by=by, before=before, role=role)
    had, given = set(person.departments.all()), set(departments)
    if had != given:
        person.departments.set(given)
        record(
            person,
            AccessChangeKind.DEPARTMENTS,
            by=by,
            added=sorted(str(department) for department in given - had),
            removed=sorted(str(department) for department in had - given),
        )
    return person


@transaction.atomic
def deactivate(person_id: int, *, by: User) -> User:
    """Switch somebody off: signed out everywhere at once, and in nowhere any more."""
    person = _lock(person_id, by)
    if person.is_active:
        person.is_active = False
        _keep_an_administrator(person)
        person.save(update_fields=["is_active"])
        _end_sessions(person, by=by)
        record(person, AccessChangeKind.DEACTIVATED, by=by)
    return person


@transaction.atomic
def reactivate(person_id: int, *, by: User) -> User:
    person = _lock(person_id, by)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        record(person, AccessChangeKind.REACTIVATED, by=by)
    return person


@transaction.atomic
def end_sessions(person_id: int, *, by: User) -> User:
    """Sign somebody out everywhere; API tokens end as well."""
    person = _lock(person_id, by)
    _end_sessions(person, by=by)
    record(person, AccessChangeKind.SESSIONS_ENDED, by=by)
    return person


@transaction.atomic
def remove_second_step(person_id: int, *, by: User) -> User:
    """For who lost phone and keys: apps, passkeys and recovery codes go, and every session with
    them, since somebody else may hold what was lost."""
    person = _lock(person_id, by)
    if not two_step.is_on(person):
        raise Refused(_("%(name)s has no second step.") % {"name": person.name})
    two_step.switch_off(person)
    _end_sessions(person, by=by)
    record(person, AccessChangeKind.SECOND_STEP_REMOVED, by=by)
    return person


def _lock(person_id: int, by: User) -> User:
    """The member of staff, to be changed by somebody else who still may. Raises Refused."""
    if person_id == by.pk:
        raise Refused(_("Nobody changes their own access. Ask another administrator."))
    people = _lock_administrators(by, person_id)
    person = people[person_id]
    if person.is_superuser and not people[by.pk].is_superuser:
        raise Refused(_("Only a superuser changes a superuser."))
    return person


def _lock_administrators(by: User, person_id: int | None = None) -> dict[int, User]:
    """Lock every administrator beside those who act and are acted upon, always in one order, so
    that two cannot switch each other off in the same moment."""
    wanted = Q(role=Role.ADMINISTRATOR) | Q(is_superuser=True) | Q(pk__in=[by.pk, person_id or 0])
    rows = User.objects.filter(wanted).defer("national_id").order_by("pk").select_for_update()
    people = {user.pk: user for user in rows}
    if by.pk not in people or not permissions.allows(people[by.pk], MANAGE_STAFF):
        raise PermissionDenied
    return people


def _keep_an_administrator(person: User) -> None:
    """Somebody other than `person` must be left to give roles, unless `person` still may."""
    if permissions.allows(person, MANAGE_STAFF):
        return
    if not queries.administrators().exclude(pk=person.pk).exists():
        raise Refused(_("This is the last administrator. Make somebody else one first."))


def _end_sessions(person: User, *, by: User) -> None:
    """What other systems hold in their name ends as well: it may be in the same wrong hands."""
    person.sessions_ended += 1
    person.save(update_fields=["sessions_ended"])
    Token.objects.filter(user=person).delete()
    person.api_tokens.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by)


def _send_invitation(user: User) -> None:
    path = services.reset_path(user, first_password_tokens.invite(user))
    url = settings.PUBLIC_URL.rstrip("/") + path
    notify(notices.invitation(user, url, days=INVITATION_DAYS))
