"""What figures are counted by, in the reader's language."""

import pytest
from django.utils import translation

from analytics.dashboards import words
from analytics.measures import ANSWERS, QUESTIONS


@pytest.mark.parametrize(("say", "codes"), [(words.question, QUESTIONS), (words.answer, ANSWERS)])
def test_what_was_asked_and_answered_beforehand_has_words(say, codes):
    with translation.override("en"):
        english = [say(code) for code in codes]
    with translation.override("zh-hans"):
        chinese = [say(code) for code in codes]
    assert not {*english} & {code.replace("_", " ").capitalize() for code in QUESTIONS}
    assert all(said and not said.isascii() for said in chinese)
    assert words.question("of_theirs") == "Of theirs"
    assert words.answer("no_idea") == "no idea"
