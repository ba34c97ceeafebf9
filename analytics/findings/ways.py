"""Where something can be done about a finding, already narrowed to what it is about. Who may not do
it is told what would help, and has no link."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import (
    DECIDE_CANCELLATION,
    EDIT_MESSAGES,
    EDIT_POLICIES,
    HANDLE_WORK,
    MANAGE_SLOTS,
)
from interviews.reminders.services import may_edit_rules
from notifications.models import WorkKind


@dataclass(frozen=True)
class Way:
    """Something that may help; the address is empty for who may not do it."""

    label: str
    url: str = ""


class Ways:
    """Those of one member of staff, for one position or department, or for neither."""

    def __init__(
        self, user: User, *, position: int | None = None, department: int | None = None
    ) -> None:
        self.user, self.position, self.department = user, position, department

    def _way(self, label: str, may: bool, url: str, **narrowed: object) -> Way:
        said = {name: str(value) for name, value in narrowed.items() if value}
        return Way(label, f"{url}?{urlencode(said)}" if may and said else url if may else "")

    def slots(self, times: str = "") -> Way:
        """The form of a series, with the position and times of day in it."""
        may = self.user.has_perm(MANAGE_SLOTS)
        url = reverse("interviews:new_series")
        return self._way(_("Open slots"), may, url, position=self.position, times=times)

    def calendar(self) -> Way:
        url = reverse("interviews:calendar")
        narrowed = {"position": self.position} if self.position else {"department": self.department}
        return self._way(_("See what is free"), True, url, **narrowed)

    def edit_position(self) -> Way:
        may = self.position is not None and self.user.has_perm("interviews.change_position")
        url = reverse("admin:interviews_position_change", args=[self.position]) if may else ""
        return Way(_("Edit the position"), url)

    def questions(self) -> Way:
        may = self.user.has_perm("interviews.change_questionset")
        url = reverse("admin:interviews_questionset_changelist")
        return self._way(_("Change the questions"), may, url)

    def policy(self) -> Way:
        may = self.user.has_perm(EDIT_POLICIES)
        return self._way(_("Change the rule"), may, reverse("cancellations:policies"))

    def reminders(self) -> Way:
        url = reverse("reminders:rules")
        return self._way(_("Change the reminders"), may_edit_rules(self.user), url)

    def wording(self, event: str, channel: str) -> Way:
        may = self.user.has_perm(EDIT_MESSAGES)
        language = "en" if self.user.language == "en" else "zh-hans"
        url = reverse("cancellations:edit_wording", args=[event, channel, language])
        return self._way(_("Reword the message"), may, url)

    def contacts(self) -> Way:
        may = self.user.has_perm(HANDLE_WORK)
        return self._queue(_("Correct contacts"), may, WorkKind.WRONG_CONTACT)

    def requests(self) -> Way:
        may = self.user.has_perm(DECIDE_CANCELLATION)
        return self._queue(_("Decide what waits"), may, WorkKind.CANCELLATION)

    def _queue(self, label: str, may: bool, kind: str) -> Way:
        url = reverse("cancellations:queue")
        return self._way(label, may, url, kind=kind, department=self.department)

    def guide(self) -> Way:
        may = self.user.has_perm(EDIT_POLICIES)
        return self._way(_("Improve the answers"), may, reverse("cancellations:faq"))

    def refill(self) -> Way:
        if self.position is None:
            return Way(_("See who waits for a place"), reverse("refill:index"))
        url = reverse("refill:position", args=[self.position])
        return Way(_("See who waits for a place"), url)
