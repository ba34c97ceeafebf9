"""Reads of help: answers that fit a question, what may help with a reason, other positions."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from cancellations.help.models import FaqEntry, Offer
from cancellations.help.terms import cut
from candidates.models import Candidate
from interviews.matching import fit
from interviews.models import Application, Interview, Position, Stage

FIND = """
SELECT entry.id
FROM cancellations_faqentry AS entry,
    (SELECT %(pairs)s::tsquery || websearch_to_tsquery('english', %(words)s) AS query) AS asked
WHERE entry.is_active AND entry.search @@ asked.query
ORDER BY ts_rank(entry.search, asked.query) DESC, entry."order", entry.id
LIMIT %(most)s
"""
# What fits which reason, beside answers and a person; codes of reasons for leaving and cancelling.
FITTING: Mapping[str, list[Offer]] = {
    "emergency": [Offer.BREAK, Offer.OTHER_TIME],
    "mistake": [Offer.GUIDE],
    "difficulty": [Offer.GUIDE, Offer.DEVICE],
    "device": [Offer.DEVICE, Offer.BREAK],
    "not_interested": [Offer.POSITIONS],
    "privacy": [Offer.PRIVACY],
    "time_conflict": [Offer.OTHER_TIME],
    "unwell": [Offer.OTHER_TIME],
    "career_change": [Offer.POSITIONS],
}
MOST_POSITIONS = 5


def find(text: str, *, most: int = 3) -> list[FaqEntry]:
    """The answers that fit best, best first; none where nothing fits. Two queries."""
    pairs, words = cut(text)
    if not pairs and not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "pairs": " | ".join(f"'{pair}'" for pair in pairs),
                "words": " or ".join(words),
                "most": most,
            },
        )
        found = [pk for (pk,) in cursor.fetchall()]
    entries = FaqEntry.objects.in_bulk(found)
    return [entries[pk] for pk in found]


def shown_entries() -> list[FaqEntry]:
    """All of them, as the help page lists them."""
    return list(FaqEntry.objects.filter(is_active=True))


def offers(reason: str, text: str) -> list[Offer]:
    """What may help: by the reason, or by words in the question that name one."""
    fitting = list(FITTING.get(reason, []))
    for offer, words in _NAMED.items():
        if offer not in fitting and any(word in text.lower() for word in words):
            fitting.append(offer)
    return fitting


_NAMED: dict[Offer, tuple[str, ...]] = {
    Offer.OTHER_TIME: (
        "改时间",
        "换时间",
        "另选",
        "改期",
        "reschedul",
        "another time",
        "other time",
    ),
    Offer.BREAK: ("休息", "暂停", "等一下", "稍后", "break", "pause", "later"),
    Offer.DEVICE: (
        "麦克风",
        "摄像",
        "网络",
        "卡",
        "声音",
        "手机",
        "microphone",
        "network",
        "device",
    ),
    Offer.POSITIONS: ("岗位", "职位", "不感兴趣", "position", "job"),
    Offer.PRIVACY: ("隐私", "个人信息", "数据", "录音", "privacy", "data", "record"),
    Offer.GUIDE: ("怎么操作", "不会", "教程", "指引", "how do i", "how to", "guide"),
}


def fitting_positions(interview: Interview) -> list[Position]:
    """Open positions that ask for nothing the candidate's résumé rules out, those with most in
    common first; not those they have applied for already."""
    candidate = interview.candidate
    applied = Application.objects.filter(candidate=candidate).exclude(stage=Stage.ENDED)
    positions = (
        Position.objects.filter(is_open=True)
        .exclude(pk=interview.position.pk)
        .exclude(pk__in=applied.values("position"))
        .select_related("department", "category")[:200]
    )
    ranked = [
        (points, position)
        for position in positions
        if (points := _fit(position, candidate)) is not None
    ]
    ranked.sort(key=lambda each: (-each[0], each[1].title))
    return [position for _points, position in ranked[:MOST_POSITIONS]]


def _fit(position: Position, candidate: Candidate) -> int | None:
    return fit(
        position.requirements,
        position.city,
        attributes=candidate.attributes,
        lives_in=candidate.city,
    )


def can_resume_until(interview: Interview, now: datetime) -> datetime | None:
    """Until when somebody in the room may take a break and come back."""
    sitting = interview.sittings.filter(ended_at=None).first()
    return sitting.resume_until if sitting and sitting.resume_until > now else None
