"""What is asked: which set of questions an interview follows, and each question in a language."""

from typing import Any

from django.db.models import Q

from config.languages import worded
from interviews.models import Interview
from interviews.room.models import QuestionSet, QuestionStage

# Asked where nobody has written a set: whoever comes on time is never turned away for want of one.
GENERAL: list[dict[str, Any]] = [
    {
        "stage": QuestionStage.INTRODUCTION.value,
        "zh": "请用几句话介绍一下自己：您的学习和工作经历，以及现在在做什么。",
        "en": "Please introduce yourself in a few sentences: what you have learnt, where you have "
        "worked, and what you are doing now.",
    },
    {
        "stage": QuestionStage.INTRODUCTION.value,
        "zh": "您为什么申请这个岗位？",
        "en": "Why have you applied for this position?",
    },
    {
        "stage": QuestionStage.PROFESSIONAL.value,
        "zh": "请讲一件您在工作或学习中完成得好的事：情况如何，您做了什么，结果怎样？",
        "en": "Tell us about something at work or in your studies that went well: what was the "
        "situation, what did you do, and what came of it?",
    },
    {
        "stage": QuestionStage.PROFESSIONAL.value,
        "zh": "请讲一次您遇到的困难，您是怎样处理的？",
        "en": "Tell us about a difficulty you have met. How did you deal with it?",
    },
    {
        "stage": QuestionStage.CLOSING.value,
        "zh": "您最早什么时候可以到岗？还有什么想告诉我们的吗？",
        "en": "When could you begin at the earliest? Is there anything else we should know?",
    },
]


def questions_for(interview: Interview) -> list[dict[str, Any]]:
    """What this interview's candidate is asked, as a sitting keeps it: the set of the position,
    else of its category, else the one for everybody, else ours."""
    position = interview.position
    sets = QuestionSet.objects.filter(
        Q(position=position) | Q(category=position.category_id) | Q(position=None, category=None),
        is_active=True,
        questions__isnull=False,
    ).distinct()
    chosen = max(
        sets,
        key=lambda each: (each.position_id is not None, each.category_id is not None),
        default=None,
    )
    if chosen is None:
        asked = [{"seconds": None, "may_speak": False, **each} for each in GENERAL]
    else:
        asked = [
            {
                "stage": each.stage,
                "zh": each.text_zh,
                "en": each.text_en,
                "seconds": each.seconds or None,  # nought would leave no time to answer at all
                "may_speak": each.may_speak,
            }
            for each in chosen.questions.all()
        ]
    return [{"number": number, **each} for number, each in enumerate(asked, start=1)]


def in_words(question: dict[str, Any]) -> dict[str, Any]:
    """A question of a sitting as it is put to the person, in the language in use."""
    return {
        "number": question["number"],
        "stage": question["stage"],
        "stage_word": str(QuestionStage(question["stage"]).label),
        "text": worded(question["zh"], question["en"]),
        "seconds": question["seconds"],
        "may_speak": question["may_speak"],
    }
