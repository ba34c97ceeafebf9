"""The lines of the queue as HTML: a template would look up forty things for each of them, which was
most of the time the queue took."""

from collections.abc import Container, Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from cancellations.queue import Line
from cancellations.templatetags.desk import in_brief, left_until, span_words
from config.templatetags.icons import icon
from interviews.templatetags.when import clock, iso, near_day

LINE = (
    '<li class="request-row">{tick}<a class="request" id="request-{key}" href="{href}"{current}>'
    '<span class="request-who">{who}</span> <span class="request-due{is_late}">'
    '<span class="visually-hidden">{due_in}</span> '
    '<time datetime="{iso}" data-left data-late="{pattern}">{left}</time></span> '
    '<span class="request-what">{what}</span> <span class="request-tags">{tags}</span></a></li>'
)
TICK = (
    '<label class="request-tick"><input type="checkbox" name="receipt" value="{key}" form="bulk"'
    ' id="tick-{key}"{checked}><span class="visually-hidden">{words}</span></label>'
)
NO_TICK = '<span class="request-tick"></span>'
HOLDER = (
    '<span class="request-holder">{icon}<span class="visually-hidden">{words}</span> {name}</span>'
)
LATE = '<span class="request-late">{words}</span>'
KIND = '<b class="request-kind">{kind}</b> '


def drawn(
    lines: Sequence[Line], *, ticks: bool, ticked: Container[str], shown: str, suffix: str
) -> SafeString:
    """The lines, with a box to tick where several can be decided at once; the one that is `shown`
    beside them says so. `suffix` says where in the queue the reader is."""
    due_in = {True: escape(_("The default falls due in")), False: escape(_("Due in"))}
    late, pattern = _("%(time)s late"), escape(_("{time} late"))
    holder, past_promise = escape(_("Taken on by")), escape(_("Past the promise"))
    spans = span_words()
    choose, midway = _("Choose the request of %(name)s"), _("Leaving midway")

    def tick(line: Line) -> str:
        if not ticks or line.request is None:
            return NO_TICK if ticks else ""
        checked = " checked" if line.key in ticked else ""
        words = escape(choose % {"name": line.candidate})
        return TICK.format(key=line.key, checked=checked, words=words)

    def what(line: Line) -> str:
        kind = line.kind if line.request is None else midway if line.request.is_exit else ""
        kind = KIND.format(kind=escape(kind)) if kind else ""
        start = line.request.starts_at if line.request else None
        return kind + escape(
            f"{line.position} · {near_day(start)} {clock(start)}" if start else line.position
        )

    def tags(line: Line) -> str:
        said = LATE.format(words=past_promise) if line.is_late else ""
        if line.assignee:
            name = escape(line.assignee.name)
            said = HOLDER.format(icon=icon("person"), words=holder, name=name) + said
        return said

    def draw(line: Line) -> str:
        left = in_brief(left_until(line.item.due_at), spans)
        return LINE.format(
            tick=tick(line),
            key=line.key,
            href=line.address + escape(suffix),
            current=' aria-current="true"' if line.key == shown else "",
            who=escape(line.candidate or line.kind),
            is_late=" is-late" if line.is_due else "",
            due_in=due_in[line.request is not None],
            iso=iso(line.item.due_at),
            pattern=pattern,
            left=escape(late % {"time": left} if line.is_due else left),
            what=what(line),
            tags=tags(line),
        )

    return mark_safe("".join(map(draw, lines)))  # noqa: S308 - every value is escaped above
