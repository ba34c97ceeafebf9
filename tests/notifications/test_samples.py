"""The examples that words are checked against are those of what is really sent."""

import json

import pytest
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from notifications import events, rendering, wording
from notifications.samples import FIXED, SHAPES
from tests.notifications import test_rendering as told_by
from tests.notifications.test_rendering import TEMPLATES

TOLD = (
    "account",
    "chased",
    "connections",
    "company",
    "staff",
    "exits",
    "gates",
    "refill",
    "reminders",
    "absences",
    "weekly",
    "alerts",
)


def everything_told():
    cancellation = told_by.CancellationFactory(
        interview__candidate__user__email=told_by.mailbox(),
        interview__interviewer=told_by.UserFactory(staff=True),
    )
    notices = told_by.notices
    yield from notices.received(cancellation)
    yield from notices.cancelled(cancellation)
    yield from notices.declined(cancellation)
    yield from notices.taken_back(cancellation)
    yield from told_by.booking_told()
    yield from told_by.booking_told(kind="on_site", deadline=told_by.START)
    for tell in TOLD:
        yield from getattr(told_by, f"{tell}_told")()


@pytest.mark.django_db
def test_examples_have_the_parameters_that_are_sent_and_no_others():
    for notice in everything_told():
        if notice.event in FIXED:
            continue
        shape = SHAPES[notice.event]
        stored = json.loads(json.dumps(notice.params, cls=DjangoJSONEncoder))
        sent = {name: value for name, value in stored.items() if name != "calendar"}
        assert set(sent) == set(shape.full), notice.event
        for name, value in sent.items():
            allowed = {type(shape.full[name]), type(shape.bare[name])}
            assert type(value) in allowed, (notice.event, name, value)


def test_every_event_with_words_has_an_example_and_a_group():
    worded = {path.parent.name for path in TEMPLATES.glob("*/*.txt")}

    assert worded == set(SHAPES) | FIXED
    assert worded <= set(events.EVENTS)


def test_full_and_bare_name_the_same():
    for event, shape in SHAPES.items():
        assert set(shape.full) == set(shape.bare), event
        assert shape.required <= shape.names, event


@pytest.mark.parametrize("event", sorted(SHAPES))
def test_the_products_own_words_pass_their_own_check(event):
    for channel in wording.CHANNELS:
        for language, _name in settings.LANGUAGES:
            source = rendering.source_of(event, channel, language)
            if source is not None:
                wording.check(event, channel, source, language)
