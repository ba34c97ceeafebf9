"""People who can sign in."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Collate, Lower, Upper
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import crypto
from accounts.fields import EncryptedCharField
from accounts.identifiers import Identifier, IdentifierKind
from accounts.permissions import STAFF_ROLES, Role
from accounts.validators import validate_language, validate_time_zone
from config.tracking import ADMINISTRATORS, never_emptied, tracked


class UserManager(BaseUserManager["User"]):
    def find(self, identifier: Identifier) -> "User | None":
        """The person behind a normalised identifier, if there is one."""
        match identifier.kind:
            case IdentifierKind.NATIONAL_ID:
                return self.filter(national_id_index=crypto.blind_index(identifier.value)).first()
            case IdentifierKind.EMAIL:
                return self.filter(email=identifier.value).first()
            case _:
                return self.filter(mobile=identifier.value).first()

    def create_user(self, *, password: str | None = None, **fields: Any) -> "User":
        user = self.model(**fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(
            email=email.lower(),
            password=password,
            role=Role.ADMINISTRATOR,
            is_superuser=True,
            **fields,
        )


# Another number or address may reach whom nothing reached: reminders go on, and nobody has to look
# for it any more. In the database, because imports write them past Python.
CONTACT_CHANGED = pgtrigger.Trigger(
    name="contact_changed",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("mobile", "email"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.AnyChange("mobile", "email"),
    func="""
        UPDATE notifications_outofreach SET solved_at = now()
        WHERE recipient = 'user:' || NEW.id AND solved_at IS NULL;
        UPDATE notifications_workitem SET closed_at = now(), closed_by = 'system'
        WHERE kind = 'wrong_contact' AND closed_at IS NULL
            AND params ->> 'recipient' = 'user:' || NEW.id;
        RETURN NULL;
    """,
)


class User(AbstractBaseUser, PermissionsMixin):
    """A candidate or a member of staff. Every way to sign in may be missing: an imported candidate
    may have nothing but a name."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.CANDIDATE)
    name = models.CharField(_("name"), max_length=100)
    mobile = models.CharField(
        _("mobile number"), max_length=16, unique=True, null=True, blank=True, help_text=_("E.164")
    )
    email = models.EmailField(_("email address"), unique=True, null=True, blank=True)
    national_id = EncryptedCharField(_("national ID number"), blank=True, default="")
    national_id_index = models.CharField(max_length=64, unique=True, null=True, editable=False)
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        default="",
        help_text=_("Empty: as the browser says."),
        validators=[validate_language],
    )
    time_zone = models.CharField(
        _("time zone"), max_length=40, blank=True, default="", validators=[validate_time_zone]
    )
    is_active = models.BooleanField(_("active"), default=True)
    sessions_ended = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("How often every session was ended at once.")
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    api_token_id: int | None = None  # the issued token somebody acts through, in this request

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("view_desk", "Can work at the desk")]
        indexes = [models.Index(Collate(Upper("name"), "C"), name="user_name_prefix")]
        constraints = [
            models.CheckConstraint(
                name="user_email_lower_case", condition=models.Q(email=Lower("email"))
            ),
        ]
        triggers = [
            tracked(
                "role",
                "is_active",
                "is_superuser",
                departments=ADMINISTRATORS,  # who else may see it, the reader's query decides
                only=f"({{row}}.role <> '{Role.CANDIDATE}' OR {{row}}.is_superuser)",
            ),
            CONTACT_CHANGED,
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if "national_id" not in self.get_deferred_fields():
            index = crypto.blind_index(self.national_id) if self.national_id else None
            self.national_id_index = index
        super().save(*args, **kwargs)

    def get_session_auth_hash(self) -> str:
        """What a session must hold to go on: another one after a new password, and each time
        `sessions_ended` counts up."""
        password_only = super().get_session_auth_hash()
        if not self.sessions_ended:
            return password_only
        value = f"{self.sessions_ended}:{password_only}"
        return salted_hmac("accounts.sessions", value, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin opens (Django's own name for it)."""
        return self.is_active and (self.is_superuser or self.role == Role.ADMINISTRATOR)

    @property
    def works_at_desk(self) -> bool:
        return self.is_active and (self.is_superuser or self.role in STAFF_ROLES)

    def get_full_name(self) -> str:
        return self.name

    get_short_name = get_full_name

    @property
    def masked_name(self) -> str:
        """The first character and a star for each further one, as printed on receipts."""
        return self.name[:1] + "*" * min(len(self.name) - 1, 3)


class ConfigurationChange(models.Model):
    """One row of the configuration that was added, changed or removed; itself it never is.

    The database writes it (config/tracking.py). It holds ids, codes and settings, of people nothing
    but their id, role and whether they may sign in.
    """

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        REMOVED = "removed", _("Removed")

    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("by"), max_length=60, help_text=_("user:12, import or database"))
    action = models.CharField(_("what happened"), max_length=10, choices=Action.choices)
    kind = models.CharField(_("kind"), max_length=60)
    object_id = models.BigIntegerField()
    subject = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    departments = ArrayField(
        models.BigIntegerField(), null=True, help_text=_("Empty: it concerns every department.")
    )
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    class Meta:
        verbose_name = _("change of the configuration")
        verbose_name_plural = _("changes of the configuration")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["at", "id"], name="configuration_at"),
            models.Index(fields=["actor", "at", "id"], name="configuration_actor"),
            models.Index(fields=["subject", "at", "id"], name="configuration_subject"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied("History is never removed."),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} {self.object_id} {self.action}"


class AccessChangeKind(models.TextChoices):
    """What may happen to a member of staff's access."""

    INVITED = "invited", _("Invited")
    ROLE = "role", _("Role changed")
    DEPARTMENTS = "departments", _("Departments changed")
    DEACTIVATED = "deactivated", _("Access switched off")
    REACTIVATED = "reactivated", _("Access switched on again")
    SESSIONS_ENDED = "sessions_ended", _("Signed out everywhere")
    SECOND_STEP_REMOVED = "second_step_removed", _("Lost second step removed")
    APP_ADDED = "app_added", _("Authenticator app added")
    APP_DROPPED = "app_dropped", _("Authenticator app taken off")
    PASSKEY_ADDED = "passkey_added", _("Passkey added")
    PASSKEY_DROPPED = "passkey_dropped", _("Passkey taken off")
    CODES_MADE = "codes_made", _("Recovery codes made")
    CODE_USED = "code_used", _("Signed in with a recovery code")
    LINKED = "linked", _("Account elsewhere linked")
    UNLINKED = "unlinked", _("Account elsewhere unlinked")


class AccessChange(models.Model):
    """One change to what a member of staff may do or how they sign in: append-only. `details`
    holds roles and names of departments, passkeys and providers, never anybody's own data."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="access_changes",
        verbose_name=_("person"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("kind"), max_length=30, choices=AccessChangeKind.choices)
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("change of access")
        verbose_name_plural = _("changes of access")
        ordering = ["-pk"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied("History is never removed."),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind}"

    @property
    def words(self) -> str:
        """What exactly was changed, where the kind does not say it all."""
        match self.details:
            case {"before": before, "role": role}:
                return f"{Role(before).label} → {Role(role).label}"
            case {"role": role}:
                return str(Role(role).label)
            case {"added": added, "removed": removed}:
                return "  ".join(
                    [f"+ {name}" for name in added] + [f"− {name}" for name in removed]
                )
            case {"name": name}:
                return str(name)
        return ""


class ApiToken(models.Model):
    """What another system calls the API with, as a member of staff and within its scopes. Of the
    secret only a hash is kept; `hint` is how it begins, to tell tokens apart."""

    name = models.CharField(_("what it is for"), max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_tokens",
        verbose_name=_("acts as"),
    )
    scopes = ArrayField(models.CharField(max_length=30), verbose_name=_("scopes"))
    hint = models.CharField(_("begins with"), max_length=20)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("issued by"),
    )
    expires_at = models.DateTimeField(_("valid until"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("revoked by"),
    )

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-pk"]
        triggers = [
            tracked(
                "name", "user_id", "scopes", "expires_at", "revoked_at", departments=ADMINISTRATORS
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked_at is not None or self.expires_at <= timezone.now()


class KeptAnswer(models.Model):
    """What the API answered to a POST with an Idempotency-Key, for who sends it again within a day
    (accounts/idempotency.py). The answer may name somebody, so it is encrypted. Of a form that
    works once, only that it was used."""

    digest = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=64)
    claimed_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(default=0)
    body = EncryptedCharField(blank=True, default="")
    headers = models.JSONField(default=dict)

    is_new = False  # whether this very request claimed it

    def __str__(self) -> str:
        return self.digest
