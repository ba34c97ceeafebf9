# ruff: noqa: S608 - no piece of SQL in here comes from outside
"""What is counted, in SQL: one place for the cells, their sums and the check.

`FACTS` is one row an interview, `NUMBERS` what is counted of those rows, `CONTRIBUTIONS` what
counts by key. Whatever is added here is a column of models.Cell, and of figures.Counts where it is
a number. Nothing here depends on the hour at which it is counted.
"""

from collections.abc import Iterable

# Upper edges, exclusive, of the steps in which HR's time to decide is counted, in minutes; and of
# the notice that candidates gave, in hours.
HANDLING_MINUTES = (
    1,
    2,
    3,
    5,
    10,
    15,
    20,
    30,
    45,
    60,
    90,
    120,
    180,
    240,
    360,
    480,
    720,
    1440,
    2880,
)
NOTICE_HOURS = (0, 1, 3, 6, 12, 24, 48, 72, 168)

# %(zone)s is the zone whose days are counted; {interviews} which interviews: as `i`.
FACTS = """
facts AS MATERIALIZED (
    SELECT i.id, 'interview:' || i.reference AS subject, i.listed_position AS owner,
        (i.listed_at AT TIME ZONE %(zone)s::text)::date AS since, i.source, i.kind, i.status,
        i.starts_at AT TIME ZONE %(zone)s::text AS starts, i.opened_at, i.asked_late, i.moves,
        i.ended_at, i.booked_at, i.location, i.extra, state.booked, state.exited,
        state.booked AND (i.status IN ('in_progress', 'exiting', 'completed', 'incomplete')
            OR state.exited) AS attended,
        coalesce(i.confirmed_at >= coalesce(i.booked_at, i.confirmed_at), false) AS confirmed,
        ended.party, declined.reason AS declined
    FROM {interviews}
    LEFT JOIN cancellations_cancellation ended
        ON ended.interview_id = i.id AND ended.status = 'approved'
    LEFT JOIN interviews_decline declined ON declined.interview_id = i.id
    CROSS JOIN LATERAL (
        SELECT known.booked,
            known.booked AND i.status = 'withdrawn' AND declined.interview_id IS NULL AS exited
        FROM (
            SELECT i.booked_at IS NOT NULL OR (i.status <> 'invited' AND i.starts_at IS NOT NULL)
                AS booked
        ) known
    ) state
)"""

# Who was expected, and how that went; nothing where it is still ahead.
FATE = """CASE
    WHEN f.attended THEN 'came'
    WHEN f.status = 'no_show' THEN 'missed'
    WHEN f.status = 'cancelled' THEN 'cancelled'
END"""

NUMBERS = {
    "invited": "true",
    "opened": "opened_at IS NOT NULL",
    "booked": "booked",
    "confirmed": "booked AND confirmed",
    "attended": "attended",
    "completed": "status = 'completed'",
    "cancelled": "booked AND status = 'cancelled'",
    "cancelled_by_candidate": "booked AND status = 'cancelled' AND party = 'candidate'",
    "cancelled_by_company": "booked AND status = 'cancelled' AND party = 'company'",
    "cancelled_unbooked": "NOT booked AND status = 'cancelled'",
    "declined": "status = 'withdrawn' AND declined IS NOT NULL",
    "withdrawn": "status = 'withdrawn'",
    "exited": "exited",
    "incomplete": "status = 'incomplete'",
    "no_show": "booked AND status = 'no_show'",
    "missed_invitation": "NOT booked AND status = 'no_show'",
    "open_invitation": "status = 'invited'",
    "upcoming": "status = 'booked'",
    "cancelling": "status = 'cancelling'",
    "in_progress": "status = 'in_progress'",
    "exiting": "status = 'exiting'",
    "asked_late": "asked_late",
    "moved": "moves > 0",
    "moves": "",  # a sum, not a count
    "without_end": "ended_at IS NULL AND status IN"
    " ('cancelled', 'withdrawn', 'completed', 'incomplete', 'no_show')",
    "without_booking_time": "booked AND booked_at IS NULL",
}

# Of what a mapping carries over (Interview.extra) these are counted: what recruiters ask to confirm
# an appointment, whether the candidate said that they will come, and how it was made. Nothing else:
# it may tell who somebody is, or where they were born.
QUESTIONS = (
    "permission",
    "no_meetings",
    "reminder_call",
    "alternative_number",
    "resume_printed",
    "venue_clear",
    "call_letter",
    "expected",
    "appointment",
)
CONFIRMING = ("yes", "no", "uncertain", "unknown")
APPOINTMENTS = ("walk_in", "scheduled", "scheduled_walk_in")
ANSWERS = (*CONFIRMING, *APPOINTMENTS)

_CELL = "f.owner, f.since, f.source, f.kind, f.id"
_COUNTED_REQUESTS = "c.party = 'candidate' AND c.status <> 'lapsed'"
_DECIDED = "c.status IN ('approved', 'declined', 'reversed')"
_BY_HAND = f"c.party = 'candidate' AND c.outcome = 'needs_hr' AND {_DECIDED}"
_IN_TIME = (
    "c.decided_at <= c.requested_at"
    " + coalesce((c.policy->>'promised_minutes')::int, 0) * interval '1 minute'"
)


def _texts(texts: Iterable[str]) -> str:
    return "ARRAY[{}]".format(", ".join(f"'{text}'" for text in texts))


def _edges(edges: tuple[int, ...]) -> str:
    return f"ARRAY[{', '.join(map(str, edges))}]::float8[]"


# By the map they count in: rows of a cell, the interview they are about (if it is one) and a key,
# each counting one. `f` is the interview.
CONTRIBUTIONS = {
    # who ended it (candidate, company, exit, decline) | the code of the reason
    "reasons": f"""
        SELECT {_CELL}, CASE WHEN c.is_exit THEN 'exit' ELSE c.party END || '|' || r.code AS key
        FROM facts f JOIN cancellations_cancellation c
            ON c.interview_id = f.id AND c.status = 'approved'
        JOIN cancellations_reason r ON r.id = c.reason_id
        UNION ALL
        SELECT {_CELL}, 'decline|' || f.declined FROM facts f WHERE f.declined IS NOT NULL
    """,
    # cancel, exit or company | how it stands, who decided, and whether within the promise
    "requests": f"""
        SELECT {_CELL}, CASE WHEN c.party = 'company' THEN 'company'
            WHEN c.is_exit THEN 'exit' ELSE 'cancel' END || '|' || told.key
        FROM facts f JOIN cancellations_cancellation c ON c.interview_id = f.id
        CROSS JOIN LATERAL (VALUES
            ('asked', true),
            ('late', NOT c.is_exit AND (c.short_notice OR c.outcome = 'needs_hr')),
            ('requested', c.status = 'requested'),
            ('approved', c.status = 'approved'),
            ('declined', c.status = 'declined'),
            ('lapsed', c.status = 'lapsed'
                AND c.decided_by_id IS NOT DISTINCT FROM c.requested_by_id),
            ('overtaken', c.status = 'lapsed'
                AND c.decided_by_id IS DISTINCT FROM c.requested_by_id),
            ('reversed', c.status = 'reversed'),
            ('at_once', c.party = 'candidate' AND c.outcome <> 'needs_hr' AND {_DECIDED}),
            ('by_hr', {_BY_HAND} AND c.decided_by_id IS NOT NULL),
            ('by_default', {_BY_HAND} AND c.decided_by_id IS NULL),
            ('in_time', {_BY_HAND} AND {_IN_TIME}),
            ('overdue', {_BY_HAND} AND NOT {_IN_TIME})
        ) told(key, holds)
        WHERE told.holds
    """,
    # the member of staff who decided, "0" for a policy's default | step of HANDLING_MINUTES
    "handling": f"""
        SELECT {_CELL}, coalesce(c.decided_by_id, 0) || '|' || width_bucket(
            extract(epoch FROM c.decided_at - c.requested_at)::float8 / 60,
            {_edges(HANDLING_MINUTES)})
        FROM facts f JOIN cancellations_cancellation c ON c.interview_id = f.id
        WHERE {_BY_HAND} AND c.decided_at IS NOT NULL
    """,
    # step of NOTICE_HOURS, of the requests to cancel that were not taken back
    "notice": f"""
        SELECT {_CELL}, width_bucket(
            extract(epoch FROM c.notice)::float8 / 3600, {_edges(NOTICE_HOURS)})::text
        FROM facts f JOIN cancellations_cancellation c ON c.interview_id = f.id
        WHERE {_COUNTED_REQUESTS} AND NOT c.is_exit
    """,
    # what happened to what starts then (starts, cancelled, no_show) | weekday, 0 is Monday | hour
    "hours": f"""
        SELECT {_CELL}, told.key || '|' || extract(isodow FROM f.starts)::int - 1
            || '|' || extract(hour FROM f.starts)::int
        FROM facts f
        CROSS JOIN LATERAL (VALUES
            ('starts', true),
            ('came', f.attended),
            ('cancelled', f.status = 'cancelled'),
            ('no_show', f.status = 'no_show')
        ) told(key, holds)
        WHERE f.booked AND f.starts IS NOT NULL AND told.holds
    """,
    # exit | stage or question or answered | which;  lapse | ending or stage or question | which
    "exits": f"""
        SELECT {_CELL}, 'exit|' || told.key || '|' || coalesce(nullif(told.value, ''), 'unknown')
        FROM facts f JOIN cancellations_cancellation c
            ON c.interview_id = f.id AND c.status = 'approved' AND c.is_exit
        CROSS JOIN LATERAL (VALUES
            ('stage', c.evidence->>'stage'),
            ('question', c.evidence->>'number'),
            ('answered', c.evidence->>'answered')
        ) told(key, value)
        UNION ALL
        SELECT {_CELL}, 'lapse|' || told.key || '|' || coalesce(nullif(told.value, ''), 'unknown')
        FROM facts f
        LEFT JOIN LATERAL (
            SELECT s.ending, s.current, s.questions->(nullif(s.current, 0) - 1)->>'stage' AS stage
            FROM interviews_sitting s WHERE s.interview_id = f.id
            ORDER BY s.entered_at DESC, s.id DESC LIMIT 1
        ) s ON true
        CROSS JOIN LATERAL (VALUES
            ('ending', s.ending), ('stage', s.stage), ('question', s.current::text)
        ) told(key, value)
        WHERE f.status = 'incomplete'
    """,
    # reached | how far the reminder of it got | came, missed or cancelled;
    # rule | the rule that wrote | came, missed or cancelled
    "reminders": f"""
        SELECT {_CELL}, 'reached|' || CASE WHEN f.confirmed THEN 'confirmed' ELSE
            coalesce((ARRAY['failed', 'sent', 'delivered'])[told.level], 'none') END
            || '|' || {FATE}
        FROM facts f
        LEFT JOIN (
            SELECT f.id, max(CASE n.state WHEN 'delivered' THEN 3 WHEN 'sent' THEN 2
                WHEN 'failed' THEN 1 WHEN 'bounced' THEN 1 END) AS level
            FROM facts f JOIN notifications_notification n ON n.subject = f.subject
            WHERE n.event = 'interview_reminder'
            GROUP BY f.id
        ) told ON told.id = f.id
        WHERE f.booked AND {FATE} IS NOT NULL
        UNION ALL
        SELECT {_CELL}, 'rule|' || step.rule_id || '|' || {FATE}
        FROM facts f JOIN interviews_step step
            ON step.interview_id = f.id AND step.outcome = 'sent'
        WHERE f.booked AND {FATE} IS NOT NULL
    """,
    # why HR looked | what was decided, or "open"
    "absences": f"""
        SELECT {_CELL}, a.code || '|' || coalesce(nullif(a.decision, ''), 'open')
        FROM facts f JOIN cancellations_absence a ON a.interview_id = f.id
    """,
    # the code of the reason | what was offered instead | moved, kept, cancelled, or "open"
    "saved": f"""
        SELECT {_CELL}, s.reason || '|' || s.offered || '|'
            || coalesce(nullif(s.outcome, ''), 'open')
        FROM facts f JOIN cancellations_saving s ON s.interview_id = f.id
    """,
    # place | given_up or free | taken, closed or open;  offer | its state
    "refill": """
        SELECT p.owner, p.since, '' AS source, p.kind, NULL::bigint, p.key FROM places p
    """,
    # channel | provider | state | the error's code
    "delivery": f"""
        SELECT {_CELL}, n.channel || '|' || CASE
            WHEN n.channel = 'sms' THEN 'twilio'
            WHEN n.channel = 'email' AND n.provider_id LIKE '<%%>' THEN 'smtp'
            WHEN n.channel = 'email' AND n.provider_id <> '' THEN 'mail'
            ELSE '' END || '|' || n.state || '|'
            || CASE WHEN n.state IN ('failed', 'bounced', 'superseded')
                THEN n.error_code ELSE '' END
        FROM facts f JOIN notifications_notification n ON n.subject = f.subject
        WHERE n.state IN ('sent', 'delivered', 'failed', 'bounced', 'superseded')
    """,
    # the kind of a work item | its code | open or settled
    "quality": f"""
        SELECT {_CELL}, w.kind || '|' || coalesce(w.params->>'code', '') || '|'
            || CASE WHEN w.closed_at IS NULL THEN 'open' ELSE 'settled' END
        FROM facts f JOIN notifications_workitem w ON w.subject = f.subject
        WHERE w.kind IN ('anomaly', 'wrong_contact', 'follow_up')
    """,
    # answered, ran_out, called_off or open: on the day that the invitation was made
    "invitations": """
        SELECT v.owner, v.since, v.source, v.kind, v.id, v.key FROM invitations v
        WHERE v.key IS NOT NULL
    """,
    # where it takes place | came, missed or cancelled
    "venues": f"""
        SELECT {_CELL}, left(replace(f.location, '|', '/'), 60) || '|' || {FATE}
        FROM facts f WHERE f.booked AND f.location <> '' AND {FATE} IS NOT NULL
    """,
    # what was asked | the answer | came, missed or cancelled
    "answers": f"""
        SELECT {_CELL}, asked || '|' || (f.extra->>asked) || '|' || {FATE}
        FROM facts f CROSS JOIN unnest({_texts(QUESTIONS)}) asked
        WHERE f.booked AND f.extra <> '{{}}' AND f.extra->>asked = ANY({_texts(ANSWERS)})
            AND {FATE} IS NOT NULL
    """,
}  # fmt: skip

# {slots} which slots: as `s`.
PLACES = """
places AS MATERIALIZED (
    SELECT s.position_id AS owner, (s.starts_at AT TIME ZONE %(zone)s::text)::date AS since, s.kind,
        'place|' || p.origin || '|' || CASE WHEN p.refilled_at IS NOT NULL THEN 'taken'
            WHEN p.closed_at IS NOT NULL THEN 'closed' ELSE 'open' END AS key
    FROM {slots} JOIN interviews_freedplace p ON p.slot_id = s.id
    UNION ALL
    SELECT s.position_id, (s.starts_at AT TIME ZONE %(zone)s::text)::date, s.kind,
        'offer|' || o.state
    FROM {slots} JOIN interviews_offer o ON o.slot_id = s.id
)"""

# {invitations} which interviews: as `i`. What was answered or over when it came from elsewhere was
# invited there, and only the other system knows when.
INVITATIONS = """
invitations AS MATERIALIZED (
    SELECT i.listed_position AS owner, (i.created_at AT TIME ZONE %(zone)s::text)::date AS since,
        i.source, i.kind, i.id, CASE
            WHEN i.booked_at IS NULL AND i.status = 'invited' THEN 'open'
            WHEN i.source <> '' AND coalesce(CASE WHEN state.booked THEN i.booked_at
                ELSE i.ended_at END < i.created_at, true) THEN NULL
            WHEN state.booked THEN 'answered'
            WHEN i.status = 'no_show' THEN 'ran_out'
            WHEN i.status = 'cancelled' THEN 'called_off'
            ELSE 'answered'
        END AS key
    FROM {invitations}
    CROSS JOIN LATERAL (
        SELECT i.booked_at IS NOT NULL OR i.starts_at IS NOT NULL AS booked
    ) state
)"""

MAPS = tuple(CONTRIBUTIONS)
