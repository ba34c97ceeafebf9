"""The room: one page, and what its script sends while somebody is in it.

The page, templates/interviews/room/room.html, gets: `interview`; `state` (queries.State);
`sitting`, the latest one, or None; `opens_at` and `closes_at`, between which one can enter; from
the check on `has_recordings`, whether any question may be spoken, so that consent is asked for,
and `progress`, {"reached", "answered", "total", "percent"}. In the room itself besides: `room`,
everything the script begins with (_room), and by name out of it `question`, `answer`, `left`
(seconds), `previous`, `next`, `current`, `total`; `questions`, one line each without its wording.

What the script sends is JSON, answered in JSON: 401 with where to sign in, 404 for what is not
theirs, 410 with the interview's status once it is not going on, 4xx with a message in their
language. None of it is ever logged.
"""

import json
import re
from datetime import datetime
from functools import wraps
from typing import Any, TypeGuard

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    UnreadablePostError,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import PortalRequest, View, candidate_required
from accounts.middleware import OWN_TOKEN, speak_to
from accounts.models import User
from interviews.models import Interview
from interviews.queries import own_interview
from interviews.reminders.queries import may_confirm
from interviews.room import queries, services
from interviews.room.models import (
    LARGEST_RECORDING,
    LONGEST_ANSWER,
    Answer,
    RoomEventKind,
    Sitting,
)
from interviews.room.queries import State
from interviews.room.questions import in_words, questions_for
from interviews.room.saving import Draft, Token, clean, save, see
from interviews.states import InterviewStatus

LARGEST_BODY = 100_000  # bytes of JSON
HEARTBEAT_SECONDS = 10
HERE = "here"  # in the page's address: this tab has been let in
LARGEST_COUNT, MOST_QUESTIONS = 2**31 - 1, 2**15 - 1  # what the columns hold
_TAB = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
logger = structlog.get_logger(__name__)

TOO_LONG = _("An answer can have %(count)d characters at most. Shorten it; then it is saved.")
TOO_LARGE = _("This is too much to be saved at once. Shorten your answer.")
MALFORMED = _("The page and the server have got out of step. Load the page again.")
TIME_UP = _(
    "The time for this question is up. What was saved until then stays; go on to the next one."
)
NOT_ACCEPTED = {
    "no_consent": _(
        "You have not agreed to be recorded, so nothing was kept. Type your answer instead."
    ),
    "not_spoken": _("This question is answered in writing."),
    "empty": _("Nothing was recorded. Check your microphone, or type your answer."),
    "too_large": _("The recording is too long to be kept. Record a shorter one."),
    "not_audio": _("This is not a recording we can keep. Type your answer instead."),
}


class Refused(Exception):
    """An answer to the script that is not the one it hoped for."""

    def __init__(self, status: int, **body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def remembers_faults(view: View) -> View:
    """What fails here on our side is remembered as such: it may be why somebody vanished."""

    @wraps(view)
    def wrapper(request: HttpRequest, reference: str, **named: Any) -> HttpResponseBase:
        try:
            return view(request, reference, **named)
        except (Http404, PermissionDenied, SuspiciousOperation):
            raise
        except Exception:
            _remember_fault(request, reference, view.__name__)
            raise

    return wrapper


def _remember_fault(request: HttpRequest, reference: str, where: str) -> None:
    """As far as the database is there to remember it; what went wrong is raised either way."""
    try:
        services.record_fault(reference, by=_person(request, reference), where=where)
    except Exception as error:
        logger.warning("room_fault_not_recorded", error=type(error).__name__)


# --- the page -------------------------------------------------------------------------------------


@never_cache
@remembers_faults
@candidate_required
@require_safe
def page(request: PortalRequest, reference: str) -> HttpResponse:
    """Whatever stands at the room's door, or in the room, at this moment."""
    interview = _own_in_room(request.user, reference)
    now = timezone.now()
    sitting = queries.latest_sitting(interview)
    state = queries.state_of(interview, sitting, now=now, comes_in=HERE in request.GET)
    context: dict[str, Any] = {
        "interview": interview,
        "state": state.value,
        "sitting": sitting,
        "opens_at": queries.opens_at(interview),
        "closes_at": queries.closes_at(interview),
        "may_confirm": may_confirm(interview, now),
    }
    if state == State.CHECK:
        asked = questions_for(interview)
        context["has_recordings"] = any(question["may_speak"] for question in asked)
        context["progress"] = queries.progress(Sitting(questions=asked), answered=0)
    elif sitting is not None:
        answers = queries.answers_of(sitting)
        context["has_recordings"] = any(each["may_speak"] for each in sitting.questions)
        context["progress"] = _progress(sitting, answers)
        if state == State.QUESTION:
            room = _room(request, sitting, answers, now)
            context |= room | {"room": room, "questions": _overview(sitting, answers, now)}
    return render(request, "interviews/room/room.html", context)


def _room(
    request: PortalRequest, sitting: Sitting, answers: list[Answer], now: datetime
) -> dict[str, Any]:
    """All that the script begins with."""
    interview = sitting.interview
    return {
        "reference": interview.reference,
        "stay": int(sitting.entered_at.timestamp()),
        "token": str(Token.of(sitting, request.user, request.session.session_key or "")),
        **_position(sitting, answers, now),
        "may_record": sitting.may_record,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "longest_answer": LONGEST_ANSWER,
        "largest_recording": LARGEST_RECORDING,
        "urls": _urls(interview.reference),
    }


def _position(sitting: Sitting, answers: list[Answer], now: datetime) -> dict[str, Any]:
    """Where they are, what is asked there, what they have said to it. The wording of other
    questions is not told: what has not been reached is not given away."""
    question = sitting.question(sitting.current)
    answer = answers[sitting.current - 1] if question else None
    return {
        "current": sitting.current,
        "total": len(sitting.questions),
        "question": in_words(question) if question else None,
        "answer": _answer(answer) if answer else None,
        "left": queries.seconds_left(sitting, answer, now) if answer else None,
        "previous": queries.previous_number(sitting, answers, now),
        "next": queries.next_number(sitting, answers, now),
        "progress": _progress(sitting, answers),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "number": answer.number,
        "text": answer.text,
        "revision": answer.revision,
        "saved_at": _iso(answer.saved_at),
        "recording": answer.spoken,  # type: ignore[attr-defined]
    }


def _progress(sitting: Sitting, answers: list[Answer]) -> dict[str, int]:
    return queries.progress(sitting, sum(map(queries.is_answered, answers)))


def _overview(sitting: Sitting, answers: list[Answer], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "number": answer.number,
            "stage": question["stage"],
            "answered": queries.is_answered(answer),
            "open": queries.is_open(sitting, answer, now),
        }
        for answer, question in zip(answers, sitting.questions, strict=True)
    ]


def _urls(reference: str) -> dict[str, str]:
    urls = {
        name: reverse(f"room:{name}", args=[reference])
        for name in ("page", "enter", "heartbeat", "go", "finish", "events")
    }
    urls |= {name: reverse(f"room:{name}", args=[reference, 0]) for name in ("answer", "recording")}
    return urls | {"sign_in": _sign_in(reference)}


def _sign_in(reference: str) -> str:
    back = reverse("room:page", args=[reference])
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"


@never_cache
@remembers_faults
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: PortalRequest, reference: str) -> HttpResponse:
    """POST: come in, or come back. GET, after signing in: the page, which asks again."""
    room = reverse("room:page", args=[reference])
    if request.method != "POST":
        _own_in_room(request.user, reference)
        return redirect(room)
    try:
        services.enter(
            reference,
            by=request.user,
            may_record="may_record" in request.POST,
            check=_check(request.POST.get("check", "")),
        )
    except Interview.DoesNotExist:
        raise Http404 from None
    except services.NotOpen:
        return _see_other(room)
    return _see_other(f"{room}?{HERE}=1")


def _check(text: str) -> dict[str, Any] | None:
    """What the check of the device found; nobody is kept out because it says nothing we know."""
    try:
        return services.clean_detail(RoomEventKind.CHECKED, json.loads(text[:LARGEST_BODY]))
    except (ValueError, RecursionError):
        return None


@never_cache
@remembers_faults
@candidate_required
@require_http_methods(["GET", "HEAD", "POST"])
def finish(request: PortalRequest, reference: str) -> HttpResponse:
    """POST: done. However it stands then, the page tells."""
    if request.method == "POST":
        try:
            services.finish(reference, by=request.user)
        except Interview.DoesNotExist:
            raise Http404 from None
        except services.Over:
            pass
    else:
        _own_in_room(request.user, reference)
    return _see_other(reverse("room:page", args=[reference]))


def _see_other(address: str) -> HttpResponse:
    """Another page; reloading that one repeats nothing."""
    return HttpResponseRedirect(address, status=303)


def _own_in_room(user: User, reference: str) -> Interview:
    own = own_interview(user, reference)
    if own is None or not queries.takes_place_here(own):
        raise Http404
    return own


# --- what the script sends ------------------------------------------------------------------------


def endpoint(view: View) -> View:
    """Sees for itself who asks, and answers in JSON."""

    @login_not_required
    @require_POST
    @wraps(view)
    def wrapper(request: HttpRequest, reference: str, **named: Any) -> HttpResponseBase:
        try:
            return view(request, reference, **named)
        except Refused as refused:
            body = refused.body
            if "message" in body:
                if request.user.is_authenticated:
                    speak_to(request.user, request)
                body["message"] = str(body["message"]) % body
            return JsonResponse(body, status=refused.status)
        except Interview.DoesNotExist:
            return JsonResponse({}, status=404)
        except services.Over as over:
            return JsonResponse({"status": over.status}, status=410)

    return remembers_faults(wrapper)


@endpoint
def answer(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Keep what is being typed: one statement, unless something is wrong."""
    text, draft = _draft(request, number)
    token, now = _sent_token(request), timezone.now()
    revision = save(token, reference, draft, now) if token else None
    if revision is None:
        kept = _second_look(request, reference, draft, now)
    else:
        kept = {"revision": revision, "saved_at": now.isoformat()}
    if draft.text != text:
        kept["text"] = draft.text
    return JsonResponse(kept)


def _second_look(
    request: HttpRequest, reference: str, draft: Draft, now: datetime
) -> dict[str, Any]:
    """Nothing was kept. It is kept now where only the token had grown old, as after signing in
    again; and it had been kept before where the reply was lost."""
    person = _person(request, reference)
    sitting = services.own_sitting(reference, person)
    token = Token.of(sitting, person, request.session.session_key or "")
    if revision := save(token, reference, draft, now):
        return {"revision": revision, "saved_at": now.isoformat(), "token": str(token)}
    stored = sitting.answers.filter(number=draft.number).first()
    if stored is None:
        raise Refused(404)
    said = {"revision": stored.revision, "saved_at": _iso(stored.saved_at)}
    if (stored.tab, stored.tab_sequence, stored.text) == (draft.tab, draft.sequence, draft.text):
        return said
    if stored.revision == draft.base and queries.is_time_up(sitting, stored, now):
        raise Refused(422, code="time_up", message=TIME_UP)
    raise Refused(409, text=stored.text, **said)


@endpoint
def heartbeat(request: HttpRequest, reference: str) -> HttpResponse:
    """They are there: one statement."""
    token, now = _sent_token(request), timezone.now()
    seen = see(token, reference, now) if token else None
    renewed = {}
    if seen is None:
        person = _person(request, reference)
        sitting = services.own_sitting(reference, person)
        token = Token.of(sitting, person, request.session.session_key or "")
        renewed = {"token": str(token)}
        seen = see(token, reference, now)
        if seen is None:  # it came to an end at this very moment
            raise services.Over(services.own_status(reference, person))
    status = InterviewStatus.IN_PROGRESS.value
    return JsonResponse({"left": seen.left, "status": status, "current": seen.current, **renewed})


@endpoint
def go(request: HttpRequest, reference: str) -> HttpResponse:
    """To another question."""
    person = _person(request, reference)
    to = _json(request).get("to")
    if not _is_count(to):
        raise Refused(422, code="malformed", message=MALFORMED)
    try:
        sitting, answers = services.go(reference, by=person, to=to)
    except services.NoWay:
        raise Refused(422, code="malformed", message=MALFORMED) from None
    except services.TimeUp:
        raise Refused(422, code="time_up", message=TIME_UP) from None
    return JsonResponse(_position(sitting, answers, timezone.now()))


@endpoint
def recording(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Keep what was said: the body is the recording."""
    person = _person(request, reference)
    try:
        content = _body(request, LARGEST_RECORDING)
        stored = services.store_recording(reference, by=person, number=number, content=content)
    except Answer.DoesNotExist:
        raise Refused(404) from None
    except services.TimeUp:
        raise Refused(422, code="time_up", message=TIME_UP) from None
    except TooLarge:
        raise _not_accepted("too_large") from None
    except services.NotAccepted as refused:
        raise _not_accepted(refused.code) from None
    return JsonResponse({"size": stored.size})


def _not_accepted(code: str) -> Refused:
    status = {"too_large": 413, "not_audio": 415}.get(code, 422)
    return Refused(status, code=code, message=NOT_ACCEPTED[code])


@endpoint
def events(request: HttpRequest, reference: str) -> HttpResponse:
    """What the page noticed."""
    person = _person(request, reference)
    told = _json(request)
    try:
        kind = RoomEventKind(str(told.get("kind")))
        detail = services.clean_detail(kind, told.get("detail", {}))
    except ValueError:
        raise Refused(422, code="malformed", message=MALFORMED) from None
    services.report_event(reference, by=person, kind=kind, detail=detail)
    return HttpResponse(status=204)


# --- reading what was sent ------------------------------------------------------------------------


class TooLarge(Exception):
    """More than anybody needs to send."""


def _body(request: HttpRequest, most: int) -> bytes:
    """Raises TooLarge before it has read it all, and refuses what was cut off on its way: that is
    the line, and no fault of ours."""
    try:
        announced = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        announced = 0
    if announced > most:
        raise TooLarge
    try:
        content = request.read(most + 1)
    except UnreadablePostError:
        raise Refused(400) from None
    if len(content) > most:
        raise TooLarge
    if len(content) < announced:
        raise Refused(400)
    return content


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        told = json.loads(_body(request, LARGEST_BODY))
    except TooLarge:
        raise Refused(413, code="too_large", message=TOO_LARGE) from None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refused(422, code="malformed", message=MALFORMED)
    return told


def _draft(request: HttpRequest, number: int) -> tuple[str, Draft]:
    """The text as it was sent, and what of it is to be kept."""
    if number > MOST_QUESTIONS:
        raise Refused(404)
    match _json(request):
        case {"text": str(text), "base": int(base), "tab": str(tab), "sequence": int(sequence)} if (
            _TAB.fullmatch(tab) and _is_count(base) and _is_count(sequence)
        ):
            draft = Draft(number, clean(text), base, tab, sequence)
        case _:
            raise Refused(422, code="malformed", message=MALFORMED)
    if len(draft.text) > LONGEST_ANSWER:
        raise Refused(422, code="too_long", message=TOO_LONG, count=LONGEST_ANSWER)
    return text, draft


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT


def _sent_token(request: HttpRequest) -> Token | None:
    return Token.read(request.headers.get(OWN_TOKEN, ""), request.session.session_key)


def _person(request: HttpRequest, reference: str) -> User:
    """Who asks, spoken to in their language from now on."""
    if not request.user.is_authenticated:
        raise Refused(401, sign_in=_sign_in(reference))
    speak_to(request.user, request)
    return request.user


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
