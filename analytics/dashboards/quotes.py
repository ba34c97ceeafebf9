"""What candidates wrote, a few of them, without what would tell who they are."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F

from analytics.dashboards.asking import OURS, Asked
from config.languages import worded
from interviews import listing
from interviews.listing import Wanted

MOST = 12
LONGEST = 160
MASK = "＊＊"
# Addresses, numbers of phones and papers, names on other services; and a name after the words with
# which people say theirs.
_PERSONAL = re.compile(
    r"""
    https?://\S+ | www\.\S+
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)*
    | (?:(?:微信|weixin|wechat|wx|vx|v信|QQ|扣扣)号?码?\s*[:：是为]?\s*)[A-Za-z0-9][\w-]{3,}
    | \+?\d(?:[\s-]?[\dXx]){4,}
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
    for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
        text = re.sub(re.escape(name), MASK, text, flags=re.IGNORECASE)
    text = _PERSONAL.sub(MASK, text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def some(asked: Asked) -> list[Quote]:
    """The latest in the period. Whoever asks may read what candidates write."""
    said = asked.form.narrowing
    wanted = Wanted(
        kind=said.get("kind", ""),
        source="" if said.get("source") == OURS else said.get("source", ""),
        department=_number(said.get("department")),
        position=_number(said.get("position")),
        recruiter=_number(said.get("recruiter")),
        since=asked.period.since,
        until=asked.period.until,
    )
    interviews = listing.everything(asked.user, wanted).filter(
        cancellations__detail__gt="", cancellations__party="candidate"
    )
    if said.get("source") == OURS:
        interviews = interviews.filter(source="")
    if "category" in said:
        interviews = interviews.filter(application__position__category=int(said["category"]))
    rows = interviews.values_list(
        "cancellations__detail",
        "cancellations__reason__label_zh",
        "cancellations__reason__label_en",
        F("application__candidate__user__name"),
        F("application__position__recruiter__name"),
        F("interviewer__name"),
    )
    return [
        Quote(worded(zh, en), masked(detail, [name for name in names if name]))
        for detail, zh, en, *names in rows[:MOST]
    ]


def _number(text: str | None) -> int | None:
    return int(text) if text else None
