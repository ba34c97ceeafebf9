"""Cells, counted anew where something has changed."""

import pytest

from analytics import cells
from analytics.models import Cell, DirtyCell
from tests.analytics import counting
from tests.factories import CancellationFactory, InterviewFactory, tell

pytestmark = pytest.mark.django_db


def test_cells_say_what_the_interviews_come_to():
    InterviewFactory(completed=True)
    interview = InterviewFactory(no_show=True)
    InterviewFactory(invited=True, kind="on_site", source="elsewhere")
    CancellationFactory(approved=True)
    CancellationFactory()
    tell(interview)

    while cells.recount_batch():
        pass

    assert counting.stored() == counting.counted()
    assert not DirtyCell.objects.exists()
    before = counting.stored()
    list(cells.rebuild())
    assert counting.stored() == before
    assert Cell.objects.exists()
