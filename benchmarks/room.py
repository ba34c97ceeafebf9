"""The interview room: a save and a sign of life beside the floor, and a room full of people."""

import asyncio
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from django.utils import timezone

from accounts.models import User
from benchmarks import data
from benchmarks.measure import PAIRS, cookies, in_pairs, weighed
from benchmarks.servers import Client, Reply, Server
from interviews.models import Interview, Position
from interviews.room import services
from interviews.room.models import Answer
from interviews.room.saving import Token

SEATS = 20
CROWD = 200
CROWD_SECONDS = 30
MOST_P95 = 0.5  # seconds, of a save in the crowd
MOST_RATIO = 1.5  # of a save, to the floor
SENTENCE = "先停下手里的活，把三件产品隔离并做好标记，马上告诉班长，再往前查来料批次。"


@dataclass
class Seat:
    """One candidate in the room, and what their tab has said and heard so far."""

    session: str
    reference: str
    token: str
    sitting: int
    revision: int = 0
    sequence: int = 0
    saved: str = ""  # what they saw as saved
    times: list[float] = field(default_factory=list)

    @property
    def room(self) -> str:
        return f"/interviews/{self.reference}/room/"

    def draft(self, text: str) -> dict[str, Any]:
        self.sequence += 1
        return {"text": text, "base": self.revision, "tab": "t", "sequence": self.sequence}

    def headers(self) -> dict[str, str]:
        return {"X-Room": self.token, "X-CSRFToken": "a" * 32}


def seated(people: int, offered: list[Position]) -> list[Seat]:
    """So many candidates who have just entered."""
    seats, now = [], timezone.now()
    for session, (reference,) in data.signed_in(people, offered, bookings=1):
        chosen = Interview.objects.filter(reference=reference)
        chosen.update(link="", starts_at=now, ends_at=now + timedelta(minutes=30))
        user = User.objects.get(candidate__applications__interviews__reference=reference)
        sitting = services.enter(reference, by=user)
        services.go(reference, by=user, to=1)
        token = str(Token.of(sitting, user, session))
        seats.append(Seat(session, reference, token, sitting.pk))
    return seats


def lines(product: Server, base: Server, offered: list[Position]) -> list[str]:
    """What `make bench` prints of the room."""
    seats = seated(SEATS, offered)
    clients = [Client(product.port, cookies(seat.session)) for seat in seats]
    turns = [(seats[n % SEATS], clients[n % SEATS]) for n in range(PAIRS)]

    def saving(seat: Seat, client: Client) -> Callable[[], Reply]:
        def call() -> Reply:
            draft = seat.draft(SENTENCE * (1 + seat.sequence % 12))
            reply = client.send_json(f"{seat.room}answers/1/", draft, seat.headers())
            if reply.status == 200:
                seat.revision = json.loads(reply.body)["revision"]
            return reply

        return call

    def beating(seat: Seat, client: Client) -> Callable[[], Reply]:
        return lambda: client.send_json(f"{seat.room}heartbeat/", {"question": 1}, seat.headers())

    save = in_pairs("save an answer", base, [saving(*turn) for turn in turns], expect=200)
    beat = in_pairs("heartbeat", base, [beating(*turn) for turn in turns], expect=200)
    page = in_pairs(
        "the room's page",
        base,
        [lambda s=seat, c=client: c.send("GET", f"{s.room}?here=1") for seat, client in turns],
        expect=200,
    )
    if save.ratio > MOST_RATIO:
        print(f"Saving takes more than {MOST_RATIO} × the floor.", file=sys.stderr)
    weight = weighed(clients[0], "the room's page", f"{seats[0].room}?here=1")
    return [save.row(), beat.row(), page.row(), crowd(product, seated(CROWD, offered)), weight]


# --- a room full of people ------------------------------------------------------------------------


def crowd(product: Server, seats: list[Seat]) -> str:
    """Everybody types for a while, saves about once a second and is seen every ten; then what each
    saw as saved is held against what is there."""
    began = perf_counter()
    asyncio.run(_all_type(product.port, seats))
    took = perf_counter() - began
    there = dict(
        Answer.objects.filter(sitting__in=[seat.sitting for seat in seats], number=1).values_list(
            "sitting", "text"
        )
    )
    lost = sum(there[seat.sitting] != seat.saved for seat in seats)
    times = [each for seat in seats for each in seat.times]
    p95 = quantiles(times, n=20)[-1]
    if lost or p95 > MOST_P95:
        print(f"Saves were lost, or p95 is above {MOST_P95} s.", file=sys.stderr)
    return (
        f"{f'{len(seats)} typing at once for {took:.0f} s':<44}{len(times):>8} saves, lost {lost},"
        f" median {median(times) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms,"
        f" longest {max(times) * 1000:.0f} ms"
    )


async def _all_type(port: int, seats: list[Seat]) -> None:
    chance = random.Random(7)
    async with asyncio.TaskGroup() as together:
        for seat in seats:
            together.create_task(_type(port, seat, random.Random(chance.random())))


async def _type(port: int, seat: Seat, chance: random.Random) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    until = perf_counter() + CROWD_SECONDS
    await asyncio.sleep(chance.random())
    for turn in count(1):
        if perf_counter() > until:
            break
        text = f"{SENTENCE * (1 + turn // 4)}{turn}"
        began = perf_counter()
        status, body = await _post(reader, writer, seat, "answers/1/", seat.draft(text))
        seat.times.append(perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"A save was answered {status}: {body[:200]!r}")
        seat.revision, seat.saved = json.loads(body)["revision"], text
        if turn % 10 == 0:
            await _post(reader, writer, seat, "heartbeat/", {"question": 1})
        await asyncio.sleep(chance.uniform(0.7, 1.3))
    writer.close()


async def _post(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    seat: Seat,
    path: str,
    told: dict[str, Any],
) -> tuple[int, bytes]:
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {
        "Host": "127.0.0.1",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies(seat.session).items()),
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Forwarded-Proto": "https",
        "Referer": "https://127.0.0.1/",
        **seat.headers(),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST {seat.room}{path} HTTP/1.1\r\n{head}\r\n".encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    lengths = [line for line in answer if line.lower().startswith("content-length:")]
    content = await reader.readexactly(int(lengths[0].partition(":")[2]))
    return int(answer[0].split()[1]), content
