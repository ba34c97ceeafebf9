"""A browser's tab in the interview room, as far as the server knows one."""

import itertools
import json
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from interviews.room.models import Sitting
from interviews.room.saving import Token

_names = itertools.count(1)
_HALVES = re.compile("[\ud800-\udfff]")


def as_browsers_write(told: Any) -> bytes:
    """JSON in UTF-8, with nothing escaped but halves of characters, which UTF-8 cannot hold."""
    text = json.dumps(told, ensure_ascii=False)
    return _HALVES.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()


class Tab:
    """One that has loaded the page of a sitting, signed in as its candidate or as `user`."""

    def __init__(self, sitting: Sitting, *, user=None, client: Client | None = None) -> None:
        owner = sitting.interview.candidate.user
        self.room = f"/interviews/{sitting.interview.reference}/room/"
        self.client = client or Client()
        if client is None:
            self.client.force_login(user or owner)
        self.token = str(Token.of(sitting, user or owner, self.client.session.session_key))
        self.name = f"tab-{next(_names)}"
        self.sequence = 0

    def send(self, path: str, told: Any = None, **headers: str) -> HttpResponse:
        return self.client.post(
            self.room + path,
            as_browsers_write({} if told is None else told),
            content_type="application/json",
            headers={"X-Room": self.token, **headers},
        )

    def draft(self, text: str, *, base: int = 0) -> dict[str, Any]:
        self.sequence += 1
        return {"text": text, "base": base, "tab": self.name, "sequence": self.sequence}

    def save(self, text: str, *, number: int = 1, base: int = 0) -> HttpResponse:
        return self.send(f"answers/{number}/", self.draft(text, base=base))

    def record(self, sound: bytes, *, number: int = 2, kind: str = "audio/webm") -> HttpResponse:
        return self.client.post(
            f"{self.room}answers/{number}/recording/",
            sound,
            content_type=kind,
            headers={"X-Room": self.token},
        )


def text_of(sitting: Sitting, number: int = 1) -> str:
    return sitting.answers.get(number=number).text
