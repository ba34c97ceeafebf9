"""Whether candidate, slot, file, requests and history of the interviews that ended agree. What does
not is reported to HR; nothing is repaired by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from cancellations import work
from interviews.models import Interview
from interviews.room.queries import BLANK
from interviews.states import ENDED

# Each finds the interviews of one range of ids where something does not fit: id, code.
CHECKS = [
    """
    SELECT i.id, 'status_not_in_history' FROM interviews_interview i
    LEFT JOIN LATERAL (
        SELECT data->>'status' AS status FROM interviews_historyentry h
        WHERE h.interview_id = i.id ORDER BY h.sequence DESC LIMIT 1
    ) last ON true
    WHERE {range} AND last.status IS DISTINCT FROM i.status
    """,
    """
    SELECT i.id, 'slot_still_held' FROM interviews_interview i
    WHERE {range} AND i.status IN ('cancelled', 'withdrawn') AND i.slot_id IS NOT NULL
    """,
    """
    -- Also of slots that nobody holds any more: what an interview held before stands with its
    -- requests and in its history.
    SELECT coalesce(
        (SELECT min(h.id) FROM interviews_interview h WHERE h.slot_id = s.id), min(held.interview)
    ), 'slot_count_wrong'
    FROM (
        SELECT i.id AS interview, i.slot_id AS slot FROM interviews_interview i WHERE {range}
        UNION ALL
        SELECT i.id, c.slot_id FROM interviews_interview i
        JOIN cancellations_cancellation c ON c.interview_id = i.id
        WHERE {range}
        UNION ALL
        SELECT i.id, (e.data->>'slot')::bigint FROM interviews_interview i
        JOIN interviews_historyentry e ON e.interview_id = i.id AND e.event IN ('booked', 'moved')
        WHERE {range}
    ) held
    JOIN interviews_slot s ON s.id = held.slot
    WHERE s.booked <> (SELECT count(*) FROM interviews_interview h WHERE h.slot_id = s.id)
        + (SELECT count(*) FROM interviews_offer o WHERE o.slot_id = s.id AND o.state = 'open')
    GROUP BY s.id
    """,
    """
    SELECT i.id, CASE WHEN i.ended_at IS NULL THEN 'no_end' ELSE 'end_too_soon' END
    FROM interviews_interview i
    WHERE {range} AND (i.status = ANY(%(ended)s)) <> (i.ended_at IS NOT NULL)
    """,
    """
    SELECT i.id, 'request_still_open' FROM interviews_interview i
    JOIN cancellations_cancellation c ON c.interview_id = i.id AND c.status = 'requested'
    WHERE {range} AND i.status = ANY(%(ended)s)
    """,
    """
    SELECT i.id, 'request_without_effect' FROM interviews_interview i
    JOIN cancellations_cancellation c ON c.interview_id = i.id AND c.status = 'approved'
    WHERE {range} AND i.status <> CASE WHEN c.is_exit THEN 'withdrawn' ELSE 'cancelled' END
    """,
    """
    SELECT i.id, 'sitting_still_open' FROM interviews_interview i
    JOIN interviews_sitting s ON s.interview_id = i.id AND s.ended_at IS NULL
    WHERE {range} AND i.status = ANY(%(ended)s)
    """,
    """
    SELECT i.id, CASE
        WHEN f.id IS NULL THEN 'not_in_file'
        WHEN f.candidate_id <> a.candidate_id THEN 'file_of_another'
        ELSE 'file_differs' END
    FROM interviews_interview i
    JOIN interviews_application a ON a.id = i.application_id
    JOIN interviews_sitting s ON s.interview_id = i.id AND s.ended_at IS NOT NULL
        AND s.ending <> 'misstart'
    LEFT JOIN candidates_fileentry f
        ON f.interview = i.reference AND f.entered_at = s.entered_at
    WHERE {range} AND (
        f.id IS NULL OR f.candidate_id <> a.candidate_id OR f.ending <> s.ending
        OR f.answered <> (
            SELECT count(*) FROM interviews_answer w
            WHERE w.sitting_id = s.id AND btrim(w.text, %(blank)s) <> ''
                OR w.sitting_id = s.id
                AND EXISTS (SELECT FROM interviews_recording r WHERE r.answer_id = w.id)
        )
    )
    """,
]
PIECE = 20_000  # ids at a time


@dataclass(frozen=True)
class Anomaly:
    """What does not fit about one interview."""

    interview: str
    code: str


def check(references: list[str] | None = None) -> Iterator[Anomaly]:
    """Everything that does not fit, read in pieces of constant size; of these interviews, or of
    all."""
    interviews = Interview.objects.all()
    if references is not None:
        interviews = interviews.filter(reference__in=references)
        for pk in interviews.order_by("pk").values_list("pk", flat=True):
            yield from _between(pk, pk)
        return
    last = interviews.order_by("-pk").values_list("pk", flat=True).first() or 0
    first = interviews.order_by("pk").values_list("pk", flat=True).first() or 0
    for start in range(first, last + 1, PIECE):
        yield from _between(start, start + PIECE - 1)


def _between(first: int, last: int) -> Iterator[Anomaly]:
    found: list[tuple[int, str]] = []
    with connection.cursor() as cursor:
        for check in CHECKS:
            cursor.execute(
                check.format(range="i.id BETWEEN %(first)s AND %(last)s"),
                {
                    "first": first,
                    "last": last,
                    "ended": [str(each) for each in ENDED],
                    "blank": BLANK,
                },
            )
            found += cursor.fetchall()
    names = dict(
        Interview.objects.filter(pk__in={pk for pk, _code in found}).values_list("pk", "reference")
    )
    for pk, code in sorted(set(found)):
        yield Anomaly(names[pk], code)


def report(anomaly: Anomaly) -> bool:
    """Ask HR to look at it; whether nobody had been asked before."""
    interview = Interview.objects.get(reference=anomaly.interview)
    return work.open_anomaly(interview, anomaly.code) is not None
