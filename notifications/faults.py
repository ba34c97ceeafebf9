"""Why a message did not arrive, in words: what providers and servers answer in codes."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_NO_SUCH_NUMBER = _("The number does not exist or is not a mobile number.")
_BLOCKED = _("The network or the receiver blocks our messages.")
_UNREACHABLE = _("The phone was switched off or out of reach.")
_NO_SUCH_MAILBOX = _("The mailbox does not exist.")
_REFUSED = _("The receiving mail server refused the message.")
_BUSY = _("The receiving mail server was busy; it is tried again.")
_OURS = _("Our account at the provider does not let it through. Tell whoever looks after it.")

WORDS: dict[str, Promise] = {
    # our own: of a message, of what was asked once more before sending
    "address": _("The email address is not a valid one."),
    "timeout": _("The provider did not answer in time."),
    "unreachable": _("The provider could not be reached."),
    "not_configured": _("No provider is set up for this channel."),
    "too_late": _("It had run out before it could be sent."),
    "error": _("Sending it failed on our side."),
    "crash": _("Sending it failed on our side."),
    "not_wanted": _("The receiver has switched these messages off."),
    "too_many": _("They had as many messages that day as we send."),
    "withdrawn": _("The browser no longer takes push messages from us."),
    # what mail providers report
    "bounced": _("The receiving mail server sent it back."),
    "invalid": _("The email address is not a valid one."),
    "blocked": _REFUSED,
    "spam": _("The receiver has marked our mail as spam."),
    "unsubscribed": _("The receiver has asked not to get mail from us."),
    "timed_out": _BUSY,
    # Twilio: https://www.twilio.com/docs/api/errors
    "21211": _NO_SUCH_NUMBER,
    "21217": _NO_SUCH_NUMBER,
    "21401": _NO_SUCH_NUMBER,
    "21614": _NO_SUCH_NUMBER,
    "30005": _NO_SUCH_NUMBER,
    "30006": _NO_SUCH_NUMBER,
    "21408": _("Text messages to this country are not switched on at the provider."),
    "21610": _("The receiver has asked not to get text messages from us."),
    "21612": _("The provider cannot send to this number."),
    "30001": _("Too many messages were waiting at the provider."),
    "30003": _UNREACHABLE,
    "30004": _BLOCKED,
    "30007": _BLOCKED,
    "30008": _("The network did not say why."),
    "20003": _OURS,
    "401": _OURS,
    "403": _OURS,
    "429": _("The provider asked us to send more slowly."),
    # SMTP, RFC 5321
    "421": _BUSY,
    "450": _BUSY,
    "451": _BUSY,
    "452": _BUSY,
    "535": _OURS,
    "550": _NO_SUCH_MAILBOX,
    "551": _NO_SUCH_MAILBOX,
    "552": _("The mailbox is full."),
    "553": _NO_SUCH_MAILBOX,
    "554": _REFUSED,
}

# Those that say something of the receiver's number or mailbox, not of us or of the provider.
_THEIRS = frozenset(
    {
        "address",
        "21211",
        "21217",
        "21401",
        "21610",
        "21612",
        "21614",
        "30003",
        "30004",
        "30005",
        "30006",
        "30007",
        "30008",
        "undelivered",
        "550",
        "551",
        "552",
        "553",
        "554",
        "bounced",
        "invalid",
        "blocked",
        "spam",
        "unsubscribed",
        "rejected",
    }
)


def is_theirs(code: str) -> bool:
    """Whether a failure says that somebody cannot be reached in this way."""
    return code in _THEIRS


def words_for(code: str) -> str:
    """Nothing where a code is not among the common ones."""
    return str(WORDS.get(code, ""))
