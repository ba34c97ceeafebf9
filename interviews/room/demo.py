"""Made-up questions, and made-up stays in the room that fit what became of each interview."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from candidates.models import FileEntry
from interviews.models import Interview, InterviewKind, PositionCategory
from interviews.room import queries
from interviews.room.models import (
    Answer,
    Ending,
    Question,
    QuestionSet,
    QuestionStage,
    RoomEvent,
    RoomEventKind,
    Sitting,
)
from interviews.room.questions import questions_for
from interviews.states import UNDER_WAY, InterviewStatus

MINUTE = timedelta(minutes=1)
INTRODUCTION, PROFESSIONAL, CLOSING = QuestionStage
# What everybody is asked, and technical people besides: part, Chinese, English, limit, spoken.
GENERAL = [
    (INTRODUCTION, "请简单介绍一下自己。", "Please introduce yourself briefly.", None, True),
    (INTRODUCTION, "您为什么想来我们公司？", "Why would you like to work with us?", None, False),
    (
        PROFESSIONAL,
        "流水线上发现连续三件产品有同样的瑕疵，您会怎么做？",
        "You find the same defect on three products in a row. What do you do?",
        180,
        False,
    ),
    (
        PROFESSIONAL,
        "请讲一次您和同事意见不一致的经历，最后怎样解决的？",
        "Tell us of a time when you and a colleague disagreed. How was it settled?",
        None,
        True,
    ),
    (
        CLOSING,
        "您可以接受夜班吗？最早什么时候到岗？",
        "Would you work nights? When could you begin?",
        None,
        False,
    ),
]
TECHNICAL = [
    GENERAL[0],
    (
        PROFESSIONAL,
        "请介绍一个您负责过的项目，您在其中做了什么？",
        "Describe a project you were responsible for. What was your part in it?",
        None,
        True,
    ),
    (
        PROFESSIONAL,
        "设备间歇性停机，日志没有报错，您会怎样排查？",
        "A machine stops now and then, and its log shows no error. How do you look for the cause?",
        300,
        False,
    ),
    (
        CLOSING,
        "您对这个岗位还有什么想了解的？",
        "What else would you like to know of this position?",
        None,
        False,
    ),
]
ANSWERS = [
    "我叫小林，做装配三年了，熟悉电批和静电防护，去年带过两个新人。",
    "离家近，听朋友说这边培训做得好，想长期做下去。",
    "先停下手里的活，把三件隔离、做好标记，马上告诉班长，再一起往前查是不是同一批来料。",
    "有一次对工序先后有分歧，我们各做了十件对比用时和不良率，按数据定了下来。",
    "可以上夜班，下周一就能到岗。",
]
ENDINGS = {
    InterviewStatus.COMPLETED: (Ending.COMPLETED,),
    InterviewStatus.WITHDRAWN: (Ending.EXITED,),
    InterviewStatus.INCOMPLETE: (Ending.DROPPED, Ending.CLOSED, Ending.PLATFORM_FAULT),
}
LAST_EVENT = {
    Ending.CLOSED: RoomEventKind.CLOSED,
    Ending.DROPPED: RoomEventKind.OFFLINE,
    Ending.PLATFORM_FAULT: RoomEventKind.SERVER_ERROR,
}


def write_questions(technical: PositionCategory) -> None:
    """One set for everybody and one for a category, so that two positions can be seen to differ."""
    for name, category, asked in (
        ("通用题目", None, GENERAL),
        ("技术岗位题目", technical, TECHNICAL),
    ):
        chosen = QuestionSet.objects.create(name=name, category=category)
        Question.objects.bulk_create(
            Question(
                question_set=chosen,
                order=order,
                stage=stage,
                text_zh=zh,
                text_en=en,
                seconds=seconds,
                may_speak=may_speak,
            )
            for order, (stage, zh, en, seconds, may_speak) in enumerate(asked)
        )


@dataclass
class Room:
    """Who has been in it; one loading."""

    now: datetime
    seen: dict[InterviewStatus, int] = field(default_factory=dict)

    def seat(self, interview: Interview) -> None:
        """The stay of one interview that was begun here, as it was or is now."""
        status = InterviewStatus(interview.status)
        begun = status in ENDINGS or status in UNDER_WAY
        if interview.kind != InterviewKind.AI or not begun or interview.starts_at is None:
            return
        turn = self.seen[status] = self.seen.get(status, -1) + 1
        endings = ENDINGS.get(status)
        ending = endings[turn % len(endings)] if endings else ""
        asked = questions_for(interview)
        answered = len(asked) if ending == Ending.COMPLETED else 2 - turn % 2
        entered_at = interview.starts_at
        ended_at = interview.ended_at
        seen_at = min(entered_at + (5 * answered + 1) * MINUTE, ended_at or self.now)
        sitting = Sitting.objects.create(
            interview=interview,
            questions=asked,
            current=answered + 1,
            entered_at=entered_at,
            last_seen_at=seen_at,
            resume_until=ended_at or entered_at + queries.RESUME_WITHIN,
            may_record=bool(turn % 2),
        )
        Answer.objects.bulk_create(
            Answer(
                sitting=sitting,
                number=number,
                text=text,
                revision=1 if text else 0,
                saved_at=seen_at if text else None,
                seconds=150 + 20 * number if text else 0,
            )
            for number, text in enumerate(
                (ANSWERS[n % len(ANSWERS)] if n < answered else "" for n in range(len(asked))), 1
            )
        )
        events = [(RoomEventKind.ENTERED, entered_at)]
        if ending in LAST_EVENT:
            events.append((LAST_EVENT[Ending(ending)], seen_at))
        RoomEvent.objects.bulk_create(
            RoomEvent(sitting=sitting, kind=kind, at=at) for kind, at in events
        )
        if ending and ended_at:
            self.end(sitting, Ending(ending), ended_at)

    def end(self, sitting: Sitting, ending: Ending, at: datetime) -> None:
        evidence = queries.evidence(sitting, at)
        sitting.ended_at, sitting.ending, sitting.evidence = at, ending, evidence
        sitting.save(update_fields=["ended_at", "ending", "evidence"])
        FileEntry.objects.create(
            candidate=sitting.interview.candidate,
            interview=sitting.interview.reference,
            entered_at=sitting.entered_at,
            ended_at=at,
            ending=ending,
            answered=evidence["answered"],
            questions=evidence["questions"],
            seconds=evidence["seconds"],
        )
