"""Which adapter a platform is asked through, and the log of what it was asked."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from interviews.platforms.http import Account, HttpPlatform
from interviews.platforms.models import Platform, PlatformCall
from interviews.platforms.written import parse

WORDS = {
    "timeout": pgettext_lazy("platform", "no answer in time"),
    "unreachable": pgettext_lazy("platform", "it cannot be reached"),
    "tls": pgettext_lazy("platform", "its certificate is not accepted"),
    "private_address": pgettext_lazy("platform", "the address leads into a private network"),
    "unknown_host": pgettext_lazy("platform", "no such host is known"),
    "not_https": pgettext_lazy("platform", "the address does not begin with https://"),
    "malformed": pgettext_lazy("platform", "the address is not complete"),
    "too_large": pgettext_lazy("platform", "the answer is too large"),
    "not_json": pgettext_lazy("platform", "the answer is not JSON"),
    "mapping": pgettext_lazy("platform", "the mapping cannot be used"),
    "id_taken": pgettext_lazy("platform", "it gave an id that another interview has"),
    "too_many_pages": pgettext_lazy("platform", "its list does not end"),
    "unsigned": pgettext_lazy("platform", "the signature is missing"),
    "stale": pgettext_lazy("platform", "signed too long ago, or by a clock that is wrong"),
    "forged": pgettext_lazy("platform", "the signature does not fit the secret"),
    "in_the_future": pgettext_lazy("platform", "the event is dated in the future"),
    "no_events": pgettext_lazy("platform", "the mapping says nothing about events"),
    "error": pgettext_lazy("platform", "an error on our side"),
}
OPERATIONS = {
    "create": gettext_lazy("Make the appointment"),
    "move": gettext_lazy("Move it"),
    "cancel": gettext_lazy("Call it off"),
    "fetch": gettext_lazy("Ask how it stands"),
    "list": gettext_lazy("Read the list"),
    "token": gettext_lazy("Get an access token"),
}


def http_adapter(platform: Platform) -> HttpPlatform:
    """Raises mapping.Wrong where its mapping, written by hand, cannot be used."""
    return HttpPlatform(Account.of(platform), parse(platform.mapping, sign=platform.sign))


def write_log(platform_id: int, adapter: HttpPlatform) -> None:
    """Keep what was asked since the last time. Reading a list is kept where it failed only."""
    made = [adapter.made.popleft() for _number in range(len(adapter.made))]
    PlatformCall.objects.bulk_create(
        PlatformCall(
            platform_id=platform_id,
            operation=each.operation,
            reference=each.reference,
            status_code=each.status,
            error_code=each.error[:60],
            milliseconds=each.milliseconds,
        )
        for each in made
        if each.error or each.operation != "list"
    )


def why(code: str) -> str:
    """An error code in words; one without words, as it is."""
    if code.startswith("token_"):
        return _("no access token: %(why)s") % {"why": why(code.removeprefix("token_"))}
    kind, _colon, rest = code.partition(":")
    if kind == "not_understood":
        return _("nothing usable stands at “%(path)s” of the answer") % {"path": rest}
    if kind == "missing":
        return _("nothing usable stands at “%(path)s” of the event") % {"path": rest}
    if code.startswith("http_"):
        return _("it answered %(status)s") % {"status": code.removeprefix("http_")}
    return str(WORDS.get(code, code))
