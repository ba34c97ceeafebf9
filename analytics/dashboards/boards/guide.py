"""What candidates asked before leaving, whether it helped, and how often teams are left midway."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.permissions import READ_DETAIL
from analytics import figures
from analytics.dashboards import help, words
from analytics.dashboards.asking import Asked
from analytics.dashboards.telling import (
    Board,
    Linked,
    Panel,
    Table,
    Tile,
    numbers,
    percent,
    rates,
    texts,
    tile,
    tile_of_count,
)
from analytics.figures import Rate
from interviews.listing import LEFT_MIDWAY


def build(asked: Asked) -> Board:
    now, before = (help.heard(asked.chosen, period) for period in (asked.period, asked.before))
    panels = [topics(now), answers(now), beside(now), teams(asked)]
    may_read = asked.user.has_perm(READ_DETAIL)
    quotes = help.unanswered(asked.chosen, asked.period) if may_read and now.talks else []
    return Board(tiles(now, before), panels, quotes, _("What nobody had an answer to"))


def tiles(now: help.Heard, before: help.Heard) -> list[Tile]:
    talks, past = now.whole, before.whole
    return [
        tile_of_count(pgettext("figures", "Conversations"), talks.begun, past.begun),
        tile(_("Helped, of what they judged"), now.verdicts.rate, before.verdicts.rate),
        tile(_("Stayed, of those known"), talks.stay_rate, past.stay_rate),
        tile(_("Went on with a person"), talks.to_people, past.to_people),
    ]


def topics(now: help.Heard) -> Panel:
    """By the reason they had chosen."""
    labels = words.reason_labels()
    rows: list[list[Any]] = []
    for code, talks in sorted(now.talks.items(), key=lambda each: (-each[1].begun, each[0])):
        label = labels.get(("exit", code)) or labels.get(("candidate", code)) or code
        label = label if code else _("In their own words")
        rows.append([label, talks.begun, talks.stay_rate, talks.to_people])
    columns = [
        *texts(_("What it was about")),
        *numbers(pgettext("figures", "Conversations")),
        *rates(_("Stayed, of those known"), _("Went on with a person")),
    ]
    title = _("What candidates wanted help with")
    note = _("Conversations count on the day they began, in the departments you see.")
    return Panel("topics", title, Table(columns, rows), note=note, is_listed=True)


def answers(now: help.Heard) -> Panel:
    """Each entry of the questions and answers that was shown."""
    named = help.questions(now.answers)
    rows: list[list[Any]] = [
        [named.get(entry, _("not known any more")), told.offered, told.rate]
        for entry, told in sorted(now.answers.items(), key=lambda each: (-each[1].offered, each[0]))
    ]
    whole = sum(now.answers.values(), help.Told()).rate
    title = _("Answers that were shown")
    if whole.share is not None and not whole.is_small:
        title = _("Answers helped in %(share)s of what was judged") % {
            "share": percent(whole.share)
        }
    columns = [
        *texts(_("Question")),
        *numbers(pgettext("figures", "Shown")),
        *rates(_("Helped, of what they judged")),
    ]
    return Panel("answers", title, Table(columns, rows), is_listed=True)


def beside(now: help.Heard) -> Panel:
    rows: list[list[Any]] = [
        [words.offered(code), told.offered, told.rate]
        for code, told in sorted(now.beside.items(), key=lambda each: (-each[1].offered, each[0]))
    ]
    columns = [
        *texts(_("What was offered")),
        *numbers(_("Offers")),
        *rates(_("Helped, of what they judged")),
    ]
    title = _("What else was offered")
    note = _("“A person” is offered where nothing else fits what was asked.")
    return Panel("offered", title, Table(columns, rows), note=note, is_listed=True)


def teams(asked: Asked) -> Panel:
    """In the order of names, with the sample."""
    now = figures.by(asked.chosen, asked.period, "department")
    past = {row.key: row for row in figures.by(asked.chosen, asked.before, "department")}
    rows: list[list[Any]] = []
    for row in now:
        if not row.counts.attended:
            continue
        url = asked.rows(status=LEFT_MIDWAY, department=row.key)
        earlier = past[row.key].counts.exit_rate if row.key in past else Rate(0, 0)
        rows.append(
            [
                asked.name_of("department", row.key),
                row.counts.attended,
                Linked(row.counts.exit_rate, url),
                earlier,
            ]
        )
    rows.sort(key=lambda row: str(row[0]))
    columns = [
        *texts(_("Department")),
        *numbers(_("Began")),
        *rates(pgettext("figures", "Left midway"), _("The period before")),
    ]
    note = _(
        "In the order of names. People leave for many causes: these figures do not say who works"
        " well."
    )
    title = _("Left midway, by department")
    return Panel("teams", title, Table(columns, rows), note=note, is_listed=True)
