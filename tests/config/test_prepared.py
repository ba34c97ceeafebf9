"""A prepared query gives what its queryset would."""

import pytest
from django.db import models

from cancellations.models import Reason
from config.prepared import Later, Prepared, among
from interviews.models import PEOPLE, Interview
from tests.factories import InterviewFactory

pytestmark = pytest.mark.django_db

own = Prepared(lambda: Interview.objects.with_facts().filter(reference=Later("reference")))


def fields(thing: models.Model) -> dict:
    """Everything of a row that was read, without what Django keeps beside it."""
    return {name: value for name, value in vars(thing).items() if name != "_state"}


def test_prepared_gives_the_same_objects_as_the_queryset(django_assert_num_queries):
    interview = InterviewFactory(extra={"shift": "night"})
    expected = Interview.objects.with_facts().get(pk=interview.pk)
    with django_assert_num_queries(1):
        found = own.first(reference=interview.reference)
        assert fields(found) == fields(expected)
        for path in (*PEOPLE, "application__position__department"):
            mine, theirs = found, expected
            for step in path.split("__"):
                mine, theirs = getattr(mine, step), getattr(theirs, step)
            assert (mine and fields(mine)) == (theirs and fields(theirs)), path
    assert found.get_deferred_fields() == expected.get_deferred_fields()


def test_prepared_takes_other_values_each_time():
    one, other = InterviewFactory(), InterviewFactory()
    assert own.first(reference=one.reference) == one
    assert own.first(reference=other.reference) == other
    assert own.first(reference="0000000000") is None


def test_prepared_writes_what_it_read():
    interview = InterviewFactory(location="一号楼")
    found = own.first(reference=interview.reference)
    found.location = "二号楼"
    found.save()
    assert Interview.objects.get(pk=interview.pk).location == "二号楼"


def test_prepared_rows_are_those_of_values_list():
    codes = Prepared(lambda: Reason.objects.filter(pk__gt=Later("after")).values_list("pk", "code"))
    first = Reason.objects.order_by("pk").first()
    expected = Reason.objects.filter(pk__gt=first.pk).values_list("pk", "code")
    assert sorted(codes(after=first.pk)) == sorted(expected)


def test_prepared_needs_every_value():
    with pytest.raises(KeyError):
        own()


def test_prepared_takes_a_list_of_any_length():
    chosen = [InterviewFactory(), InterviewFactory()]
    InterviewFactory()
    those = Prepared(lambda: Interview.objects.filter(among("reference", Later("references"))))
    for some in (chosen, chosen[:1], []):
        found = those(references=[each.reference for each in some])
        assert sorted(each.pk for each in found) == sorted(each.pk for each in some)


def test_prepared_brings_what_was_annotated():
    interview = InterviewFactory()
    titled = Prepared(
        lambda: Interview.objects.only("reference").annotate(
            title=models.F("application__position__title")
        )
    )
    found = titled.first()
    assert found.title == interview.position.title
    assert found.get_deferred_fields() >= {"status", "starts_at"}
