"""How a password proves who somebody is, and what their role lets them do."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from accounts import identifiers, permissions
from accounts.models import User
from config.prepared import Later, Prepared

# Asked with every request. The national ID is decrypted only where somebody asks for it.
_active_user = Prepared(
    lambda: User.objects.filter(pk=Later("id"), is_active=True).defer("national_id")
)


class IdentifierBackend(BaseBackend):
    """Signs in by mobile number, national ID number or email address and a password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        identifier: str | None = None,
        password: str | None = None,
        username: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The person, or None. Nobody there takes as long as a wrong password: both hash once.

        Django's own callers say `username`, ours say `identifier`.
        """
        identifier = identifier or username
        if identifier is None or password is None:
            return None
        user = find_user(identifier)
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return _active_user.first(id=user_id)

    def has_perm(
        self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: Model | None = None
    ) -> bool:
        return isinstance(user_obj, User) and permissions.allows(user_obj, perm)

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        """Whether the Django admin lists an application; only administrators get there."""
        return isinstance(user_obj, User) and user_obj.is_staff

    def get_all_permissions(
        self, user_obj: AbstractBaseUser | AnonymousUser, obj: Model | None = None
    ) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        return set(permissions.PERMISSIONS[user_obj.role])


def find_user(identifier: str) -> User | None:
    """The person behind what somebody typed, if it is an identifier at all and known."""
    try:
        return User.objects.find(identifiers.parse(identifier))
    except ValidationError:
        return None
