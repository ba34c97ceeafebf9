"""What each event's messages are made of, by example: for the preview, and for finding out whether
words that somebody wrote still fit. tests/notifications/test_samples.py holds it against what is
really sent."""

from dataclasses import dataclass
from typing import Any

START = "2024-05-10T06:00:00+00:00"
SOON = "2024-05-09T08:15:00+00:00"
REFERENCE = "7K2M9QX4TB"
URL = "https://mianyue.example/x/"


@dataclass(frozen=True)
class Shape:
    """`full` with everything there is, `bare` with nothing that may be missing; the names
    `required` and the address `link` have to stand in the words."""

    full: dict[str, Any]
    bare: dict[str, Any]
    required: frozenset[str] = frozenset()
    link: str = ""

    @property
    def names(self) -> set[str]:
        """What words may name: times have their day besides."""
        days = {f"{name.removesuffix('at')}on" for name in self.full if name.endswith("_at")}
        return {*self.full, *days} - {"calendar"}


FACTS = {
    "candidate": "张三",
    "position": "装配技术员",
    "department": "制造一部",
    "kind": "ai",
    "starts_at": START,
    "location": "深圳",
    "recruiter": "李四",
    "interview": REFERENCE,
}
BARE_FACTS = FACTS | {"kind": "on_site", "starts_at": None, "location": "", "recruiter": ""}
REQUEST = {
    "reason": "时间冲突",
    "short_notice": True,
    "promised_minutes": 15,
    "decide_at": SOON,
    "decided_by_policy": True,
    "note": "产线急需",
    "receipt": REFERENCE,
    "talent_pool": True,
}
BARE_REQUEST = REQUEST | {
    "short_notice": False,
    "promised_minutes": None,
    "decide_at": None,
    "decided_by_policy": False,
    "note": "",
    "talent_pool": False,
}
LEFT = {
    "left_at": SOON,
    "answered": 3,
    "questions": 6,
    "self_rebooking": True,
    "cooldown_until_at": START,
}
BARE_LEFT = LEFT | {"answered": 0, "self_rebooking": False, "cooldown_until_at": None}
LISTED = {"candidate": "张三", "position": "装配技术员", "kind": "ai", "starts_at": START}


def _about(more: dict[str, Any], bare: dict[str, Any], *required: str, link: str = "") -> Shape:
    return Shape(FACTS | more, BARE_FACTS | bare, frozenset(required), link)


def _plain(more: dict[str, Any], *required: str) -> Shape:
    return Shape(more, more, frozenset(required))


_REQUEST = _about(REQUEST, BARE_REQUEST, "position")
_STAFF_REQUEST = _about(REQUEST, BARE_REQUEST, "candidate")
_POSITION = _about(REQUEST, BARE_REQUEST, "position")
_RECEIPT = _about(REQUEST, BARE_REQUEST, "position", "receipt")
_LEFT = _about(REQUEST | LEFT, BARE_REQUEST | BARE_LEFT, "position")
_STAFF_LEFT = _about(REQUEST | LEFT, BARE_REQUEST | BARE_LEFT, "candidate")
_AGAIN = _about(REQUEST, BARE_REQUEST | {"starts_at": START}, "starts_at")
_CORRECTED = _about({"status": "未参加", "note": "产线急需"}, {"status": "未参加", "note": ""})
_REINSTATED = _about(
    {"status": "已预约", "note": "产线急需"},
    {"status": "已预约", "note": "", "starts_at": START},
    "starts_at",
)
_WORK = _about(
    {"work": "跟进", "words": "未参加", "due_at": SOON, "item": REFERENCE},
    {"work": "跟进", "words": "", "due_at": SOON, "item": REFERENCE},
    "candidate",
)
_MANY = Shape(
    {"count": 3, "more": 1, "reason": "招聘冻结", "interviews": [LISTED, LISTED]},
    {
        "count": 2,
        "more": 0,
        "reason": "招聘冻结",
        "interviews": [LISTED | {"starts_at": None}],
    },
    frozenset({"count"}),
)
_WEEK = {
    "period": "2024年5月6日至2024年5月12日",
    "figures": [{"label": "取消", "value": "12%（24 / 200）", "change": "与上期相同"}],
    "path": "/desk/insights/?since=2024-05-06&until=2024-05-12",
}
_ALERT = Shape(
    {
        "alert": 7,
        "path": "/desk/insights/alerts/7/",
        "title_zh": "未到面：9% · 制造一部",
        "title_en": "Did not come: 9 % · 制造一部",
        "lines": [{"zh": "最近 7 天为 9%（9 / 100）。", "en": "9 % (9 of 100) now."}],
    },
    {
        "alert": None,
        "path": "/desk/insights/alerts/",
        "title_zh": "未到面 · 2 项预警",
        "title_en": "Did not come · 2 alerts",
        "lines": [],
    },
)
_CODE = _plain({"code": "135790", "minutes": 5}, "code")

_FACTS = _about({}, {})
_APPOINTED = _about({}, {"starts_at": START})
_INVITED = _about(
    {"token": "x:y:z", "deadline_at": START},
    {"token": "x:y:z", "deadline_at": None},
    "token",
    link="{{ public_url }}/i/{{ token }}/",
)
_BOOKED = _about({}, {"starts_at": START}, "starts_at")
_MOVED = _about({"before_at": SOON}, {"before_at": None, "starts_at": START}, "starts_at")
_REMINDER = _about(
    {"token": "x:y:z", "confirmed": True},
    {"token": "x:y:z", "confirmed": False, "starts_at": START},
    "starts_at",
    "token",
    link="{{ public_url }}/c/{{ token }}/",
)
_OFFER = Shape(
    {name: FACTS[name] for name in ("candidate", "position", "department", "kind", "recruiter")}
    | {"starts_at": START, "held_at": SOON, "link": URL},
    {
        name: BARE_FACTS[name]
        for name in ("candidate", "position", "department", "kind", "recruiter")
    }
    | {"starts_at": START, "held_at": SOON, "link": URL},
    frozenset({"link", "held_at"}),
)

SHAPES: dict[str, Shape] = {
    "interview_invited": _INVITED,
    "interview_booked": _BOOKED,
    "interview_moved": _MOVED,
    "interview_moved_staff": _MOVED,
    "invitation_declined": _FACTS,
    "invitation_declined_staff": _about({"reason": "时间冲突"}, {"reason": "时间冲突"}),
    "interview_reminder": _REMINDER,
    "invitation_reminder": _INVITED,
    "invitation_ends": _INVITED,
    "trouble_asked": _about(
        {"token": "x:y:z"},
        {"token": "x:y:z"},
        "token",
        link="{{ public_url }}/t/{{ token }}/",
    ),
    "interview_missed": _about(
        {}, {}, "interview", link="{{ public_url }}/interviews/{{ interview }}/"
    ),
    "absence_excused": _FACTS,
    "interview_rebooked": _APPOINTED,
    "absence_to_decide": _about(
        {"absence": REFERENCE, "words": "未参加"}, {"absence": REFERENCE, "words": "未参加"}
    ),
    "mark_set": _about(
        {"expires_at": START}, {"expires_at": START}, link="{{ public_url }}/record/"
    ),
    "appeal_to_decide": _about({"mark": REFERENCE}, {"mark": REFERENCE}),
    "appeal_decided": _about(
        {"lifted": True, "note": "产线急需", "expires_at": START},
        {"lifted": False, "note": "", "expires_at": START},
    ),
    "documents_missing": _about(
        {"documents": [{"name": "健康证"}, {"name": "学历证书"}]},
        {"documents": [{"name": "健康证"}]},
        "documents",
    ),
    "document_rejected": _about(
        {"document": "健康证", "note": "已过期"}, {"document": "健康证", "note": ""}, "document"
    ),
    "documents_accepted": _about({}, {}, "position"),
    "application_ended": _about(
        {"talent_pool": True, "called_off": True}, {"talent_pool": False, "called_off": False}
    ),
    "place_offered": _OFFER,
    "place_refilled": _APPOINTED,
    "sign_in_code": _CODE,
    "password_reset_code": _CODE,
    "exit_code": _CODE,
    "password_reset": _plain({"url": URL, "minutes": 30}, "url"),
    "password_changed": _plain({}),
    "staff_invited": _plain({"url": URL, "days": 7, "minutes": 10080}, "url"),
    "cancellation_received": _REQUEST,
    "cancellation_done": _RECEIPT,
    "cancellation_declined": _REQUEST,
    "company_cancelled": _REQUEST,
    "exit_received": _REQUEST,
    "exit_done": _LEFT,
    "exit_declined": _about(REQUEST, BARE_REQUEST),
    "booked_again": _AGAIN,
    "interview_reinstated": _REINSTATED,
    "status_corrected": _CORRECTED,
    "interview_reinstated_staff": _REINSTATED,
    "cancellation_to_decide": _STAFF_REQUEST,
    "cancellation_taken_back": _STAFF_REQUEST,
    "exit_to_decide": _STAFF_REQUEST,
    "exit_taken_back": _STAFF_REQUEST,
    "candidate_left": _STAFF_LEFT,
    "candidate_booked_again": _AGAIN,
    "interview_cancelled": _STAFF_REQUEST,
    "company_cancelled_one": _STAFF_REQUEST,
    "interviewer_released": _STAFF_REQUEST,
    "position_cancellation": _POSITION,
    "position_exit": _POSITION,
    "company_cancelled_many": _MANY,
    "interviewer_released_many": _MANY,
    "decision_reminder": _WORK,
    "decision_escalated": _WORK,
    "work_reminder": _WORK,
    "work_escalated": _WORK,
    "token_issued": _plain({"name": "ATS", "by": "李四"}, "name"),
    "webhook_switched_off": _plain({"name": "ERP", "failing_at": START}, "name"),
    "alert_opened": _ALERT,
    "alert_closed": _ALERT,
    "alert_waiting": _plain(
        {
            "alert": 7,
            "path": "/desk/insights/alerts/7/",
            "what": "未到面：9% · 制造一部",
            "due_at": SOON,
            "is_late": True,
        },
        "what",
    ),
    "weekly_summary": Shape(
        _WEEK
        | {
            "steps": [{"label": "已邀请", "count": "128", "width": "100%"}],
            "reasons": [{"label": "时间冲突", "count": "9", "width": "100%"}],
        },
        _WEEK | {"figures": [], "steps": [], "reasons": []},
    ),
}
# The words of this one are chosen by what was changed: they cannot be written as one text.
FIXED = frozenset({"access_changed"})
