"""Queries that are asked all day, built and compiled once per process.

Django puts a queryset together and turns it into SQL each time it is used. For an interview with
its application, position, department and people that takes five times as long as PostgreSQL and
making the objects take together (docs/adr/0008-prepared-queries.md).
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet
from django.db.models.query import RelatedPopulator, ValuesListIterable, get_related_populators

T = TypeVar("T")
Row = tuple[Any, ...]


class Later(Expression):
    """In a prepared query, a value that is given each time it is asked. Takes no part in the checks
    and conversions of the field it is compared with: give what the column holds."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, Any]:
        return "%s", [self]


def among(column: str, values: Later) -> Func:
    """In a prepared query: the column holds one of a list of values, however many those are."""
    is_one_of = {"arg_joiner": " = ANY(", "template": "%(expressions)s)"}
    return Func(F(column), values, output_field=BooleanField(), **is_one_of)


class Prepared(Generic[T]):
    """A queryset of models or of `values_list` rows, compiled at its first use.

    `build` says what it is; it may compare with Later("name") and is called as name=value. What a
    queryset does beyond its one statement (prefetching, known related objects) is not done.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, T]]) -> None:
        self.build = build

    def __call__(self, **values: Any) -> list[T]:
        """Raises KeyError for a value not given."""
        sql, params, read = self._compiled
        given = [values[each.name] if isinstance(each, Later) else each for each in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, given)
            return read(cursor.fetchall())

    def first(self, **values: Any) -> T | None:
        """The first row; the query itself should ask for one only."""
        return next(iter(self(**values)), None)

    @cached_property
    def _compiled(self) -> tuple[str, list[Any], Callable[[list[Row]], list[T]]]:
        queryset = self.build()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        selected = compiler.select[: compiler.col_count]
        converters = compiler.get_converters([column for column, *_ in selected])

        def converted(rows: list[Row]) -> list[Any]:
            return list(compiler.apply_converters(rows, converters)) if converters else rows

        if issubclass(queryset._iterable_class, ValuesListIterable):
            return sql, list(params), converted
        make = _Maker(compiler.klass_info, compiler.select, compiler.annotation_col_map)
        return sql, list(params), lambda rows: [make(row) for row in converted(rows)]


class _Maker:
    """Rows into objects with those that select_related brought along and what was annotated, as
    Django makes them."""

    def __init__(
        self, shape: dict[str, Any], columns: list[Any], annotated: dict[str, int]
    ) -> None:
        first, last = shape["select_fields"][0], shape["select_fields"][-1]
        self.model: type[Model] = shape["model"]
        self.own = slice(first, last + 1)
        self.names = [column.target.attname for column, *_ in columns[self.own]]
        self.annotated = annotated
        self.related: list[RelatedPopulator] = get_related_populators(shape, columns, "default")  # type: ignore[call-arg]  # the stubs describe a later Django

    def __call__(self, row: Row) -> Any:
        made = self.model.from_db("default", self.names, row[self.own])
        for related in self.related:
            related.populate(row, made)
        for name, position in self.annotated.items():
            setattr(made, name, row[position])
        return made
