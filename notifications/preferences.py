"""What people chose to be sent: only of what they may do without, and per channel."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from notifications.events import OPTIONAL, Group, kind_of
from notifications.models import Channel, Preference, PushSubscription

# On which channels one may choose; push messages are ended in the browser that gets them.
CHANNELS = (Channel.SMS, Channel.EMAIL)
BROWSERS = 10  # of one person; the oldest is forgotten for a new one


def of(recipient: str) -> dict[tuple[str, str], bool]:
    """What is sent, for each optional group and channel."""
    said = Preference.objects.filter(recipient=recipient)
    chosen = {(each.group, each.channel): each.is_wanted for each in said}
    return {
        (group.value, channel.value): chosen.get((group.value, channel.value), True)
        for group in OPTIONAL
        for channel in CHANNELS
    }


def refused(recipient: str, event: str) -> set[str]:
    """The channels on which they do without messages such as `event`."""
    kind = kind_of(event)
    if not kind.is_optional:
        return set()
    said = Preference.objects.filter(recipient=recipient, group=kind.group, is_wanted=False)
    return set(said.values_list("channel", flat=True))


def choose(recipient: str, group: Group, channel: str, *, is_wanted: bool) -> None:
    choose_all(recipient, {(group.value, channel): is_wanted})


def choose_all(recipient: str, wanted: Mapping[tuple[str, str], bool]) -> None:
    """In one statement; what does not belong to us to choose is left alone."""
    rows = [
        Preference(recipient=recipient, group=group, channel=channel, is_wanted=is_wanted)
        for (group, channel), is_wanted in wanted.items()
        if group in OPTIONAL and channel in CHANNELS
    ]
    Preference.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["recipient", "group", "channel"],
        update_fields=["is_wanted", "changed_at"],
    )


@transaction.atomic
def add_browser(recipient: str, *, endpoint: str, key: str, secret: str) -> PushSubscription:
    """Have somebody told in this browser; whoever was told there before is not any more."""
    added, _is_new = PushSubscription.objects.update_or_create(
        endpoint=endpoint, defaults={"recipient": recipient, "key": key, "secret": secret}
    )
    own = PushSubscription.objects.filter(recipient=recipient).order_by("-pk")
    surplus: Iterable[int] = own.values_list("pk", flat=True)[BROWSERS:]
    PushSubscription.objects.filter(pk__in=list(surplus)).delete()
    return added


def remove_browser(number: int, *, unless_of: str = "") -> None:
    """Whoever is told there; not where that is `unless_of`."""
    PushSubscription.objects.filter(pk=number).exclude(recipient=unless_of).delete()


def remove_browsers(recipient: str, *, but: Iterable[int] = ()) -> None:
    """All of them, or all but some."""
    PushSubscription.objects.filter(recipient=recipient).exclude(pk__in=but).delete()
