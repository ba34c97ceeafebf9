"""The schema `bi`: what business intelligence tools read (docs/bi.md).

Names and columns are a promise: tools are built on them. PostgreSQL does not let a column change
its type while a view reads it; a migration that does so drops the view before and makes it again
after (`CREATE OR REPLACE` where columns are only added at the end). Roles made by
`manage.py bi_reader` may read views that are made later, too.
"""

from dataclasses import dataclass

from django.db import migrations

CELL = "c.since AS day, c.owner AS position_id, c.source, c.kind"
CELLS = "FROM public.analytics_cell c"
# Rows of one position and day; the others are sums of them.
OWN = "WHERE c.scope = 'position' AND c.span = 'day' AND c.source <> '*'"
WHOSE = {
    "day": "Local day of the start; before there is one, of the invitation.",
    "position_id": "See bi.positions.",
    "source": "The system it was imported from; empty: our own.",
    "kind": "ai or on_site.",
}
NUMBERS = {
    "invited": "All interviews, whatever became of them.",
    "opened": "Of those: the invitation was opened.",
    "booked": "Of those: ever booked.",
    "confirmed": "Of those booked: said that they come.",
    "attended": "Of those booked: began, whatever came of it.",
    "completed": "Of those: completed.",
    "cancelled": "Of those booked: called off.",
    "cancelled_by_candidate": "Of those booked: called off by the candidate.",
    "cancelled_by_company": "Of those booked: called off by the company.",
    "cancelled_unbooked": "Invitations called off.",
    "declined": "Invitations declined.",
    "withdrawn": "The candidate left, before it or midway.",
    "exited": "Left midway.",
    "incomplete": "Begun and left unfinished without saying so.",
    "no_show": "Of those booked: did not come.",
    "missed_invitation": "Invitations that ran out.",
    "open_invitation": "Not booked yet.",
    "upcoming": "Booked and still to come.",
    "cancelling": "HR has to decide whether it is cancelled.",
    "in_progress": "Going on.",
    "exiting": "HR has to decide whether the candidate may leave.",
    "asked_late": "Ever asked to be cancelled late.",
    "moved": "Moved at least once.",
    "moves": "How often they were moved, in all.",
    "without_end": "Ended, and nobody knows when.",
    "without_booking_time": "Booked, and nobody knows when.",
}
WHOLE = {"weekday", "hour"}  # parts of keys that are numbers
FATE = "came, missed (did not come) or cancelled."
# Edges of the steps that are counted: below the first is step 0.
HANDLING_MINUTES = (
    "ARRAY[1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880]"
)
NOTICE_HOURS = "ARRAY[0, 1, 3, 6, 12, 24, 48, 72, 168]"


@dataclass(frozen=True)
class View:
    """`columns` are told to who looks at them in a tool."""

    name: str
    about: str
    sql: str
    columns: dict[str, str]

    @property
    def made(self) -> str:
        statements = [
            f"CREATE VIEW bi.{self.name} AS {self.sql}",
            f"COMMENT ON VIEW bi.{self.name} IS {_quoted(self.about)}",
        ]
        statements += [
            f"COMMENT ON COLUMN bi.{self.name}.{column} IS {_quoted(about)}"
            for column, about in self.columns.items()
        ]
        return ";\n".join(statements)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _counted(
    name: str, about: str, counts: str, parts: dict[str, str], *, of: str, only: str = ""
) -> View:
    """A view of what cells count by key: `parts` are the parts of the key in their order; or those
    after the first, where `only` keys are wanted that begin with it."""
    named = ", ".join(
        f"split_part(counted.key, '|', {number}){'::int' if part in WHOLE else ''} AS {part}"
        for number, part in enumerate(parts, 2 if only else 1)
    )
    which = f"AND counted.key LIKE '{only}|%'" if only else ""
    sql = f"""SELECT {CELL}, {named}, counted.value::int AS {counts}
        {CELLS} CROSS JOIN LATERAL jsonb_each(c.{of}) counted {OWN} {which}"""
    return View(name, about, sql, {**WHOSE, **parts, counts: "How many."})


def _stepped(name: str, about: str, counts: str, unit: str, *, of: str, edges: str) -> View:
    """A view of a histogram; the last part of the key is the step, and any before it are summed."""
    sql = f"""SELECT {CELL}, ({edges})[step.number] AS from_{unit},
            ({edges})[step.number + 1] AS below_{unit}, sum(counted.value::int)::int AS {counts}
        {CELLS} CROSS JOIN LATERAL jsonb_each(c.{of}) counted
        CROSS JOIN LATERAL (SELECT substring(counted.key FROM '[0-9]+$')::int AS number) step
        {OWN} GROUP BY 1, 2, 3, 4, step.number"""
    columns = {
        f"from_{unit}": "Where the step begins; null: at the beginning.",
        f"below_{unit}": "Where the step ends; null: without end.",
        counts: "How many.",
    }
    return View(name, about, sql, {**WHOSE, **columns})


VIEWS = [
    View(
        "departments",
        "Departments of the company.",
        "SELECT d.id AS department_id, d.code, d.name FROM public.interviews_department d",
        {
            "department_id": "Key.",
            "code": "As the API names it.",
            "name": "As people read it.",
        },
    ),
    View(
        "categories",
        "What policies tell positions apart by.",
        "SELECT k.id AS category_id, k.code, k.name FROM public.interviews_positioncategory k",
        {"category_id": "Key.", "code": "As the API names it.", "name": "As people read it."},
    ),
    View(
        "positions",
        "Positions people apply for.",
        """SELECT p.id AS position_id, p.code, p.title, p.department_id, p.category_id, p.city,
            p.is_open
        FROM public.interviews_position p""",
        {
            "position_id": "Key.",
            "code": "As the API names it.",
            "title": "As people read it.",
            "department_id": "See bi.departments.",
            "category_id": "See bi.categories.",
            "city": "Where the work is; may be empty.",
            "is_open": "Whether people may apply.",
        },
    ),
    View(
        "interview_days",
        "How many interviews stood where: one row for each day, position, source and kind.",
        f"SELECT {CELL}, {', '.join(f'c.{name}' for name in NUMBERS)} {CELLS} {OWN} AND c.invited > 0",
        {**WHOSE, **NUMBERS},
    ),
    _counted(
        "reasons",
        "Why interviews ended early.",
        "interviews",
        {
            "party": "candidate, company, exit (left midway) or decline (of an invitation).",
            "reason": "The code of the reason.",
        },
        of="reasons",
    ),
    _counted(
        "requests",
        "Requests to cancel or to leave; each counts in several states.",
        "requests",
        {
            "sort": "cancel, exit or company.",
            "state": "asked (all of them), late, requested (waiting), approved, declined,"
            " lapsed (taken back), overtaken, reversed; at_once, by_hr or by_default: who decided;"
            " in_time or overdue: whether within the promise.",
        },
        of="requests",
    ),
    _stepped(
        "decision_times",
        "How long requests waited that a person had to decide.",
        "requests",
        "minutes",
        of="handling",
        edges=HANDLING_MINUTES,
    ),
    _stepped(
        "notice",
        "How long before the start candidates asked to cancel.",
        "requests",
        "hours",
        of="notice",
        edges=NOTICE_HOURS,
    ),
    _counted(
        "hours_of_the_week",
        "Which hours are booked, called off and missed.",
        "interviews",
        {
            "what": "starts (all that were booked), came, cancelled or no_show.",
            "weekday": "0 is Monday.",
            "hour": "Local hour of the start.",
        },
        of="hours",
    ),
    _counted(
        "exits",
        "Where people leave the interview, and where they do not come back to it.",
        "interviews",
        {
            "what": "exit (left) or lapse (did not come back).",
            "told_by": "stage, question (its number), answered (how many) or ending.",
            "value": "Which; unknown where it is not known.",
        },
        of="exits",
    ),
    _counted(
        "reminders",
        "Who came, by what the reminders did; each interview once by reached, and by each rule.",
        "interviews",
        {
            "told_by": "reached (how far the reminder came) or rule (which step wrote).",
            "value": "confirmed, delivered, sent, failed or none; or the number of the rule.",
            "fate": FATE,
        },
        of="reminders",
    ),
    _counted(
        "absences",
        "What HR decided about those who did not come.",
        "absences",
        {"reason": "Why HR looked.", "decision": "open where there is none yet."},
        of="absences",
    ),
    _counted(
        "saved",
        "What was offered instead of cancelling, and what came of it.",
        "offers",
        {
            "reason": "The code of the reason.",
            "instead": "What was offered.",
            "outcome": "moved, kept, cancelled or open.",
        },
        of="saved",
    ),
    _counted(
        "freed_places",
        "Places that came free.",
        "places",
        {
            "origin": "given_up (somebody had it) or free.",
            "state": "taken, closed or open.",
        },
        of="refill",
        only="place",
    ),
    _counted(
        "place_offers",
        "Offers of places that came free.",
        "offers",
        {"state": "What became of it."},
        of="refill",
        only="offer",
    ),
    _counted(
        "messages",
        "Messages about interviews.",
        "messages",
        {
            "channel": "sms, email, …",
            "provider": "Who carried it; empty: we ourselves.",
            "state": "sent (arrival not known), delivered, failed, bounced or superseded.",
            "cause": "The provider's code of what went wrong.",
        },
        of="delivery",
    ),
    _counted(
        "findings",
        "What HR was asked to look at.",
        "items",
        {
            "item": "anomaly, wrong_contact or follow_up.",
            "code": "What was found.",
            "state": "open or settled.",
        },
        of="quality",
    ),
    View(
        "invitations",
        "What became of invitations, on the day that they were made.",
        f"""SELECT {CELL}, counted.key AS state, counted.value::int AS invitations
        {CELLS} CROSS JOIN LATERAL jsonb_each(c.invitations) counted {OWN}""",
        {
            **WHOSE,
            "day": "Local day of the invitation.",
            "state": "answered, ran_out, called_off or open.",
            "invitations": "How many.",
        },
    ),
    _counted(
        "venues",
        "Who came, by where it takes place.",
        "interviews",
        {"place": "Where.", "fate": FATE},
        of="venues",
    ),
    _counted(
        "answers",
        "Who came, by what was answered beforehand.",
        "interviews",
        {
            "question": "The code of what was asked.",
            "answer": "The code of the answer.",
            "fate": FATE,
        },
        of="answers",
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0001_cells"),
        ("interviews", "0020_reminders_for_some"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SCHEMA bi; COMMENT ON SCHEMA bi IS 'Figures for BI tools: no personal data.'",
            "DROP SCHEMA bi",
        ),
        *(migrations.RunSQL(view.made, f"DROP VIEW bi.{view.name}") for view in VIEWS),
    ]
