"""What a mapping carried over beside an interview's own fields, as people read it."""

from collections.abc import Mapping as MappingType
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from interviews.imports.mapping import Mapping, What, load, shipped

# What questions are usually answered with, whatever the source calls it.
ANSWERS: dict[str, Promise] = {
    "yes": pgettext_lazy("an answer", "yes"),
    "no": pgettext_lazy("an answer", "no"),
    "uncertain": pgettext_lazy("an answer", "not sure"),
    "unknown": pgettext_lazy("an answer", "not known"),
}


@cache
def _known() -> dict[str, Mapping]:
    """The shipped mappings whose rows are interviews, by source. Of one's own, which come and go
    with their files, only the codes are known."""
    mappings = [load(name) for name in shipped()]
    return {each.source: each for each in mappings if each.what == What.INTERVIEWS}


def source_title(source: str) -> str:
    return _known()[source].title if source in _known() else ""


def source_named(source: str) -> str:
    """With its code, as the page of an interview shows both."""
    title = source_title(source)
    return f"{title} ({source})" if title else source


def further_answers(source: str, extra: MappingType[str, str]) -> list[tuple[str, str]]:
    """Each with the question as the source asked it, where its mapping says; else with its code."""
    columns = _known()[source].extra if source in _known() else {}
    titles = {code: column.titles[0] for code, column in columns.items() if column.titles}
    return [
        (
            titles.get(code) or _readable(code).capitalize(),
            str(ANSWERS.get(value, _readable(value))),
        )
        for code, value in extra.items()
    ]


def _readable(code: object) -> str:
    return str(code).replace("_", " ")
