"""What candidates wrote, a few of them, without what would tell who they are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from analytics import figures
from analytics.dashboards.asking import Asked
from cancellations.models import Cancellation, Party
from interviews import listing
from interviews.listing import Wanted
from interviews.states import InterviewStatus

MOST = 12
LOOKED_AT = 200  # interviews, for those whose candidates wrote something
LONGEST = 160
# Of everybody who is known to have to do with a cancellation.
NAMES = (
    "interview__application__candidate__user__name",
    "interview__application__position__recruiter__name",
    "interview__interviewer__name",
)
MASK = "＊＊"
# Addresses, numbers of phones and papers, names on other services; and a name after the words with
# which people say theirs.
_PERSONAL = re.compile(
    r"""
    https?://\S+ | www\.\S+
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)*
    | (?i:(?:微信|weixin|wechat|wx|vx|v信|QQ|扣扣)号?码?\s*[:：是为]{0,2}\s*)[A-Za-z0-9][\w-]{3,}
    | \+?\d(?:[\s.·–—－-]?[\dXx]){4,}
    | (?<=我叫)[\u4e00-\u9fff·]{2,4} | (?<=姓名)[:：是为]?[\u4e00-\u9fff·]{2,4}
    | (?<=[Mm]y\ name\ is\ )\w+(?:\ [A-Z]\w+)?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Quote:
    """What one of them wrote, and the reason it was written with."""

    reason: str
    text: str


def masked(text: str, names: Iterable[str] = ()) -> str:
    """Without what tells who wrote it or whom it is about; `names` are those that are known."""
    text = " ".join(text.split())
    said = [re.compile(re.escape(name), re.IGNORECASE) for name in names if len(name) > 1]
    # All are looked for in what was written: one mask inside another would hide it by half.
    found = sorted(each.span() for one in (_PERSONAL, *said) for each in one.finditer(text))
    shown, end = "", 0
    for start, until in found:
        if start >= end:
            shown += text[end:start] + MASK
        end = max(end, until)
    text = shown + text[end:]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def some(asked: Asked, labels: Mapping[tuple[str, str], str]) -> list[Quote]:
    """Of the latest cancelled in the period. Whoever asks may read what candidates write; `labels`
    are those of reasons (words.reason_labels)."""
    said = asked.form.narrowing
    wanted = Wanted(
        status=InterviewStatus.CANCELLED,
        kind=said.get("kind", ""),
        source=said.get("source", ""),
        department=_number(said.get("department")),
        position=_number(said.get("position")),
        category=_number(said.get("category")),
        recruiter=_number(said.get("recruiter")),
        since=_since(asked),
        until=asked.period.until,
    )
    latest = listing.everything(asked.user, wanted).values_list("pk", flat=True)[:LOOKED_AT]
    cancellations = Cancellation.objects.filter(
        interview__in=list(latest), party=Party.CANDIDATE, is_exit=False, detail__gt=""
    )
    written = cancellations.order_by("-requested_at").values_list("reason__code", "detail", *NAMES)
    return [
        Quote(labels.get(("candidate", code), code), masked(detail, filter(None, names)))
        for code, detail, *names in written[:MOST]
    ]


def _since(asked: Asked) -> date:
    """The last day from which to the period's end about as many were cancelled as are looked at:
    the list of a year would be sorted for its latest."""
    together = 0
    for point in reversed(figures.series(asked.chosen, asked.period, "day", ["cancelled"])):
        together += point.counts.cancelled
        if together >= LOOKED_AT:
            return point.since
    return asked.period.since


def _number(text: str | None) -> int | None:
    return int(text) if text else None
