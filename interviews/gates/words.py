"""How an application stands before a gate, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from interviews.gates.models import DocumentState
from interviews.gates.queries import Before
from interviews.gates.rules import Standing

WORDS: dict[str, Promise] = {
    Standing.OPEN: gettext_lazy("Done"),
    Standing.MISSING: gettext_lazy("Still needed"),
    Standing.TO_CHECK: gettext_lazy("Handed in; HR looks at it"),
    Standing.REJECTED: gettext_lazy("Not accepted; please hand in another one"),
    Standing.EXPIRED: gettext_lazy("No longer valid; please hand in a new one"),
    Standing.UNSCORED: gettext_lazy("No score yet"),
    Standing.BELOW: gettext_lazy("Not reached"),
}


def words_of(before: Before) -> str:
    if before.is_open and before.document and before.document.state == DocumentState.ACCEPTED:
        return _("Accepted")
    return str(WORDS[before.standing])
