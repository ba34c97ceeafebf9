"""What staff see and do: the queue of what waits, one case of it, and the desk's messages."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_fsm import TransitionNotAllowed

from accounts.decorators import DeskRequest, desk_permission_required, desk_required
from accounts.models import User
from accounts.permissions import (
    DECIDE_CANCELLATION,
    HANDLE_WORK,
    MANAGE_CONNECTIONS,
    READ_DETAIL,
)
from cancellations import lines, queries, queue, rules, services, story, words, work
from cancellations.desk_filters import RevealForm
from cancellations.forms import BulkForm, DecisionForm, QueueFilter, ResolutionForm
from cancellations.help import plausibility
from cancellations.help.models import HelpTurn
from cancellations.models import Cancellation, CancellationStatus, may_decide
from cancellations.queue import Case
from cancellations.work_forms import ContactForm, FollowUpForm
from interviews.models import Department, Interview
from interviews.queries import audiences_of, read_departments_of, visible_to
from interviews.templatetags.when import moment
from notifications.models import Notification, WorkItem, WorkKind
from notifications.queries import inbox as inbox_of
from notifications.work import TakenMeanwhile

logger = structlog.get_logger(__name__)

HOLDER = re.compile(r"(user:[0-9]{1,18})?")  # whose an item is, as it is stored
POSTED = ["GET", "HEAD", "POST"]  # who comes by GET switched the language, or signed in anew


@never_cache
@desk_required
@require_safe
def queue_page(request: DeskRequest) -> HttpResponse:
    """What waits, and beside it the case that is due first."""
    return _queue_page(request, None)


@never_cache
@desk_required
@require_safe
def case(request: DeskRequest, reference: str) -> HttpResponse:
    """One request with everything needed to decide it, or how it was decided."""
    return _queue_page(request, queue.case_of(_visible(request, reference), request.user))


@never_cache
@desk_required
@require_safe
def work_item(request: DeskRequest, reference: str) -> HttpResponse:
    """One anomaly or follow-up; a late request has a page by its receipt."""
    chosen = queue.entries([_item(request, reference)], request.user)[0]
    if chosen.cancellation is not None:
        return redirect(_with_query(request, "case", chosen.cancellation.reference))
    return _queue_page(request, chosen)


# --- deciding -------------------------------------------------------------------------------------


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_http_methods(POSTED)
def approve(request: DeskRequest, reference: str) -> HttpResponse:
    return _decide(
        request,
        reference,
        services.approve_cancellation,
        _("The interview of %(name)s is cancelled. Everybody concerned is being told."),
    )


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_http_methods(POSTED)
def decline(request: DeskRequest, reference: str) -> HttpResponse:
    return _decide(
        request,
        reference,
        services.decline_cancellation,
        _("The appointment of %(name)s stands. They are being told."),
    )


def _decide(
    request: DeskRequest,
    reference: str,
    service: Callable[..., Cancellation],
    done: str,
) -> HttpResponse:
    """Afterwards the next case of the queue is there."""
    chosen = _visible(request, reference)
    here = _with_query(request, "case", reference)
    if request.method != "POST":
        return redirect(here)
    shown = queue.case_of(chosen, request.user)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _queue_page(request, shown, form=form, status=422)
    try:
        service(chosen.pk, by=request.user, note=form.cleaned_data["note"])
    except TransitionNotAllowed:
        messages.warning(request, _why_closed(_visible(request, reference), request.user))
        return redirect(here)
    messages.success(request, done % {"name": chosen.interview.candidate.user.name})
    return redirect(_next(request, shown.item))


def _why_closed(closed: Cancellation, user: User) -> str:
    """Who was there first."""
    if closed.was_overtaken:
        return _("The company has cancelled this interview. There is nothing to decide any more.")
    if closed.status == CancellationStatus.LAPSED:
        return _("The candidate has taken this request back. There is nothing to decide any more.")
    if closed.decided_by is None:
        return _("This request has already been decided by the rule.")
    if closed.decided_by == user:
        return _("You have already decided this request.")
    return _("A colleague has already decided this request.")


# --- several at once ------------------------------------------------------------------------------


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_http_methods(POSTED)
def bulk(request: DeskRequest) -> HttpResponse:
    """Read what will be done with several requests; POST does it, each in its own transaction.

    What is chosen stands in the address, so nothing is lost by signing in anew, and neither by
    reading the outcome again.
    """
    posted = request.method == "POST"
    form = BulkForm(request.POST if posted else request.GET)
    if form.errors.keys() - {"note"}:
        for error in (*form.errors.get("action", ()), *form.errors.get("receipt", ())):
            messages.warning(request, error)
        return redirect(_with_query(request, "queue"))
    if posted and form.is_valid():
        _decide_each(form, request.user)
        return redirect(f"{reverse('cancellations:bulk_done')}?{_bulk_query(request, form)}")
    chosen = _chosen(request, form)
    context = {
        "form": form,
        "action": form["action"].value(),
        "requests": chosen,
        "count": sum(1 for each in chosen if each.decides),
        "leaves": any(each.cancellation.is_exit for each in chosen),
        "query": urlencode(_standing_of(request)),
        "back": _with_query(request, "queue", receipt=form.cleaned_data["receipt"]),
        "place": "queue",
    }
    status = 422 if posted else 200
    return render(request, "cancellations/desk/bulk.html", context, status=status)


@never_cache
@desk_permission_required(DECIDE_CANCELLATION)
@require_safe
def bulk_done(request: DeskRequest) -> HttpResponse:
    """What became of each, read off the requests as they stand."""
    form = BulkForm(request.GET)
    if not form.is_valid():
        return redirect(_with_query(request, "queue"))
    wanted = {"approve": CancellationStatus.APPROVED, "decline": CancellationStatus.DECLINED}
    status = wanted[form.cleaned_data["action"]]
    chosen = _chosen(request, form)
    context = {
        "action": form.cleaned_data["action"],
        "requests": chosen,
        "done": sum(1 for each in chosen if each.is_done(status)),
        "status": status,
        "back": _with_query(request, "queue"),
        "place": "queue",
    }
    return render(request, "cancellations/desk/bulk_done.html", context)


@dataclass(frozen=True)
class Chosen:
    """One of several requests, and whether this member of staff can decide it now."""

    cancellation: Cancellation
    user: User

    @property
    def waits(self) -> bool:
        return bool(self.cancellation.status == CancellationStatus.REQUESTED)

    @property
    def decides(self) -> bool:
        return self.waits and may_decide(self.cancellation, self.user)

    @property
    def outcome(self) -> str:
        """How it stands, in a line."""
        asked = self.cancellation
        if self.decides:
            return _("Waits to be decided")
        if self.waits:
            return _("You asked for this yourself: a colleague decides it.")
        if asked.decided_by == self.user:
            return str(asked.get_status_display())
        if asked.status == CancellationStatus.LAPSED:
            return _why_closed(asked, self.user)
        name = asked.decided_by.name if asked.decided_by else _("the rule")
        return _("Decided meanwhile by %(name)s: %(status)s") % {
            "name": name,
            "status": asked.get_status_display(),
        }

    def is_done(self, status: CancellationStatus) -> bool:
        """Decided so by them."""
        mine = self.cancellation.decided_by_id == self.user.pk
        return mine and self.cancellation.status == status


def _chosen(request: DeskRequest, form: BulkForm) -> list[Chosen]:
    """The requests in the order of the queue; none outside one's departments."""
    visible = queries.visible_cancellations(request.user).with_facts()
    found = visible.filter(reference__in=form.cleaned_data["receipt"])
    return [Chosen(each, request.user) for each in found.order_by("decide_by", "pk")]


def _decide_each(form: BulkForm, user: User) -> None:
    """What cannot be decided any more, or not by `user`, stays as it is."""
    services_of = {
        "approve": services.approve_cancellation,
        "decline": services.decline_cancellation,
    }
    service = services_of[form.cleaned_data["action"]]
    requests = queries.visible_cancellations(user).filter(
        reference__in=form.cleaned_data["receipt"]
    )
    for cancellation_id in requests.order_by("decide_by", "pk").values_list("pk", flat=True):
        try:
            service(cancellation_id, by=user, note=form.cleaned_data["note"])
        except (TransitionNotAllowed, PermissionDenied):
            continue
        except Exception:
            logger.exception("bulk_decision_failed", cancellation=cancellation_id)


def _bulk_query(request: DeskRequest, form: BulkForm) -> str:
    chosen = {"action": form.cleaned_data["action"], "receipt": form.cleaned_data["receipt"]}
    return urlencode({**_standing_of(request), **chosen}, doseq=True)


# --- who has it, and what is no request ----------------------------------------------------------


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def assign(request: DeskRequest, reference: str) -> HttpResponse:
    """Take an item on, give it back, or pass it to a colleague."""
    item = _item(request, reference)
    if request.method == "POST":
        to = _person_named(request.POST.get("to", ""))
        expected = request.POST.get("expected", "")
        try:
            if not HOLDER.fullmatch(expected):
                raise TakenMeanwhile(item)
            work.assign_work(item, to=to, by=request.user, expected=expected)
        except TakenMeanwhile as taken:
            messages.warning(request, _who_has(taken.item, request.user))
    return redirect(_with_query(request, "work_item", reference))


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def resolve(request: DeskRequest, reference: str) -> HttpResponse:
    """Settle an anomaly or a follow-up, and go on to the next case."""
    item = _item(request, reference)
    here = _with_query(request, "work_item", reference)
    if request.method != "POST":
        return redirect(here)
    form = ResolutionForm(request.POST)
    if not form.is_valid():
        shown = queue.entries([item], request.user)[0]
        return _queue_page(request, shown, form=form, status=422)
    try:
        work.resolve_work(item, by=request.user, note=form.cleaned_data["note"])
    except TakenMeanwhile:
        messages.warning(request, _("A colleague has already settled this."))
        return redirect(here)
    messages.success(request, _("Settled."))
    return redirect(_next(request, item))


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def contact(request: DeskRequest, reference: str) -> HttpResponse:
    """Write down another number or address of somebody nothing reaches."""
    item = _item(request, reference)
    here = _with_query(request, "work_item", reference)
    if item.kind != WorkKind.WRONG_CONTACT:
        raise Http404
    if request.method != "POST":
        return redirect(here)
    if not work.may_correct_contact(request.user):
        raise PermissionDenied
    form = ContactForm(request.POST)
    if form.is_valid():
        try:
            work.correct_contact(item, by=request.user, **form.cleaned_data)
        except TakenMeanwhile:
            messages.warning(request, _("A colleague has already settled this."))
            return redirect(here)
        except work.Taken:
            form.add_error(None, _("Somebody else has this number or address."))
        else:
            messages.success(request, _("Saved. Messages go there from now on."))
            return redirect(here)
    shown = queue.entries([item], request.user)[0]
    return _queue_page(request, shown, contact_form=form, status=422)


def _person_named(number: str) -> User | None:
    """Raises Http404 for somebody who does not exist; nobody where none is named."""
    if not number:
        return None
    if not number.isdecimal() or len(number) > 18:
        raise Http404
    return get_object_or_404(User, pk=number)


def _who_has(item: WorkItem, user: User) -> str:
    if item.closed_at is not None:
        return _("A colleague has already settled this.")
    holder = queue.entries([item], user)[0].assignee
    if holder is None:
        return _("It has been given back meanwhile. Nobody has taken it on now.")
    return _("%(name)s has taken this on meanwhile.") % {"name": holder.name}


# --- opening work by hand -------------------------------------------------------------------------


@never_cache
@desk_permission_required(HANDLE_WORK)
@require_http_methods(POSTED)
def follow_up(request: DeskRequest, reference: str) -> HttpResponse:
    """Write down what is to be done about an interview, by when and by whom."""
    interview = get_object_or_404(visible_to(request.user).with_facts(), reference=reference)
    posted = request.POST if request.method == "POST" else None
    form = FollowUpForm(posted, by=request.user, colleagues=work.colleagues_for(interview))
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return _follow_up_page(request, interview, form, status=status)
    try:
        item = work.open_follow_up(
            interview,
            by=request.user,
            task=form.cleaned_data["task"],
            due_at=form.cleaned_data["due_at"],
            to=form.cleaned_data["to"],
        )
    except work.AlreadyOpen:
        return _follow_up_page(request, interview, form, status=409)
    due = moment(item.due_at)
    messages.success(request, _("It is on the queue, due %(time)s.") % {"time": due})
    return redirect("cancellations:desk_interview", reference)


def _follow_up_page(
    request: DeskRequest, interview: Interview, form: FollowUpForm, *, status: int
) -> HttpResponse:
    """Where one is open already, that one is shown; what was typed meanwhile is kept."""
    items = queue.work_of(request.user).open()
    already = items.filter(subject=interview.subject, kind=WorkKind.FOLLOW_UP).first()
    context = {"interview": interview, "form": form, "already": already, "place": "interviews"}
    return render(request, "cancellations/desk/follow_up.html", context, status=status)


# --- messages -------------------------------------------------------------------------------------


@never_cache
@desk_required
@require_safe
def inbox(request: DeskRequest) -> HttpResponse:
    """What this member of staff and their departments were told, newest first."""
    number = queue.page_number(request.GET.get("page", ""))
    page = queue.cut(inbox_of(audiences_of(request.user)), number)
    context = {
        "page": page,
        "told": [(each, _where(each, request.user)) for each in page.entries],
        "place": "messages",
    }
    return render(request, "cancellations/desk/inbox.html", context)


def _where(told: Notification, user: User) -> str:
    """Where what a message tells of is dealt with; nowhere, where this reader may not go."""
    for name, page in (
        ("receipt", "case"),
        ("absence", "absence"),
        ("mark", "appeal"),
        ("item", "work_item"),
        ("interview", "desk_interview"),
    ):
        if reference := told.params.get(name):
            return reverse(f"cancellations:{page}", args=[reference])
    if "alert" in told.params:  # several of them have their list
        alert = told.params["alert"]
        return reverse("alerts:alert", args=[alert]) if alert else reverse("alerts:index")
    if not user.has_perm(MANAGE_CONNECTIONS):
        return ""
    if told.event == "token_issued":
        return reverse("cancellations:connections")
    kind, _colon, number = told.subject.partition(":")
    return reverse("cancellations:webhook", args=[number]) if kind == "webhook" else ""


# --- the page -------------------------------------------------------------------------------------


def _visible(request: DeskRequest, reference: str) -> Cancellation:
    """A request outside one's departments is not there."""
    found = queries.visible_request(reference, request.user)
    if found is None:
        raise Http404
    return found


def _item(request: DeskRequest, reference: str) -> WorkItem:
    """Nor is what is other departments' to do."""
    return get_object_or_404(queue.work_of(request.user), reference=reference)


def _filter_of(
    request: DeskRequest,
    departments: Sequence[Department] | None = None,
    *,
    offered: bool = False,
) -> QueueFilter:
    """Colleagues are read where they are `offered`, or one of them is asked for."""
    if departments is None:
        departments = read_departments_of(request.user) if request.GET else []
    named = request.GET.get("assignee", "").startswith("user:")
    colleagues = queue.colleagues_of(request.user) if offered or named else []
    return QueueFilter(request.GET, departments=departments, colleagues=colleagues)


def _number_of(request: DeskRequest) -> int:
    return queue.page_number(request.GET.get("page", ""))


def _standing(narrowing: QueueFilter, number: int) -> dict[str, str]:
    """Where in the queue somebody is, as the address has it: what narrows it, and the page."""
    return {**narrowing.chosen, **({"page": str(number)} if number > 1 else {})}


def _standing_of(request: DeskRequest) -> dict[str, str]:
    return _standing(_filter_of(request), _number_of(request))


def _with_query(request: DeskRequest, name: str, *args: str, **more: list[str]) -> str:
    """An address of the queue, where somebody is in it now."""
    query = urlencode({**_standing_of(request), **more}, doseq=True)
    return reverse(f"cancellations:{name}", args=args) + (f"?{query}" if query else "")


def _next(request: DeskRequest, item: WorkItem | None) -> str:
    """The case that was due next after this one, then the first there is; else the empty queue."""
    departments = read_departments_of(request.user)
    narrowing = _filter_of(request, departments)
    items = queue.work_of(request.user, departments).open()
    items = narrowing.narrow(items, request.user).by_urgency()
    following = items.after(item).first() if item else None
    found = following or items.first()
    if found is None:
        return _with_query(request, "queue")
    receipt = found.params.get("receipt")
    name = "case" if found.kind == WorkKind.CANCELLATION and receipt else "work_item"
    address = reverse(f"cancellations:{name}", args=[receipt or found.reference])
    # What follows moves up onto this page; begun anew, the queue begins with the first one.
    query = urlencode(_standing(narrowing, _number_of(request) if following else 1))
    return f"{address}?{query}" if query else address


def _queue_page(
    request: DeskRequest,
    chosen: Case | None,
    *,
    form: DecisionForm | ResolutionForm | None = None,
    contact_form: ContactForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The list, and one case beside it: the first where none was chosen. The list asks for itself
    again from time to time; it then gets itself and what has changed of the case."""
    polled = "HX-Request" in request.headers
    departments = read_departments_of(request.user)
    narrowing = _filter_of(request, departments, offered=not polled)
    mine = queue.work_of(request.user, departments)
    page, done = queue.page(
        narrowing.narrow(mine.open(), request.user),
        _number_of(request),
        also=queue.done_today(mine, now=timezone.now()),
        user=request.user,
    )
    shown = chosen
    if shown is None and not polled and page.entries:
        shown = queue.opened(page.entries[0], request.user)
    standing = _standing(narrowing, page.number)
    suffix = f"?{urlencode(standing)}" if standing else ""
    decides_some = request.user.has_perm(DECIDE_CANCELLATION)
    context: dict[str, Any] = {
        "page": page,
        "lines": lines.drawn(
            page.entries,
            ticks=decides_some,
            ticked=request.GET.getlist("receipt"),
            shown=shown.key if shown else "",
            suffix=suffix,
        ),
        "done": done,
        "shown": shown,
        "is_chosen": chosen is not None,
        "narrowing": narrowing,
        "standing": standing,
        "suffix": suffix,
        "list_url": _list_url(standing, shown),
        "decides_some": decides_some,
        "place": "queue",
    }
    if polled:
        context["changed"] = _changed(request, shown)
    if shown is not None and (not polled or context["changed"]):
        context |= _facts(request, shown, form)
        context |= _out_of_reach(request, shown, contact_form)
    template = "list" if polled else "queue"
    return render(request, f"cancellations/desk/{template}.html", context, status=status)


def _list_url(standing: dict[str, str], shown: Case | None) -> str:
    """Where the list comes from again, with the case that is open beside it."""
    address = reverse("cancellations:queue")
    if shown is not None:
        address = reverse(f"cancellations:{shown.view}", args=[shown.key])
    return f"{address}?{urlencode(standing)}" if standing else address


def _changed(request: DeskRequest, shown: Case | None) -> bool:
    """Whether somebody else has settled or taken on the case since the list was last asked for."""
    return shown is not None and request.GET.get("stands", shown.stands) != shown.stands


def _facts(
    request: DeskRequest, shown: Case, form: DecisionForm | ResolutionForm | None
) -> dict[str, Any]:
    """What the case says beside the item itself."""
    user, item = request.user, shown.item
    facts: dict[str, Any] = {"reads_detail": user.has_perm(READ_DETAIL), "reveal": RevealForm()}
    if shown.interview is not None:
        facts["ways"] = story.ways_to(shown.interview.candidate.user, revealed=False)
    is_open = item is not None and item.closed_at is None
    if item is not None and is_open:
        leads = user.has_perm(DECIDE_CANCELLATION)
        others = [each for each in work.colleagues(item) if each != user] if leads else []
        facts |= {
            "handles": work.may_handle(item, shown.cancellation, user),
            "is_mine": shown.assignee == user,
            "leads": leads,
            "colleagues": others,
        }
    if item is not None and item.kind == WorkKind.FOLLOW_UP and shown.interview is not None:
        facts["talk"] = _asked_of_a_person(shown.interview, item)
    if shown.cancellation is None:
        return facts | {"is_open": is_open, "form": form or ResolutionForm()}
    return facts | _request_facts(shown.cancellation, user) | {"form": form or DecisionForm()}


def _out_of_reach(request: DeskRequest, shown: Case, form: ContactForm | None) -> dict[str, Any]:
    """Of somebody nothing reaches: what failed, and where to write down what does."""
    item, interview = shown.item, shown.interview
    if item is None or interview is None or item.kind != WorkKind.WRONG_CONTACT:
        return {}
    corrects = item.closed_at is None and work.may_correct_contact(request.user)
    return {
        "failed": story.failed_for(interview, item.params["recipient"]),
        "contact_form": (form or ContactForm()) if corrects else None,
    }


def _asked_of_a_person(interview: Interview, item: WorkItem) -> QuerySet[HelpTurn]:
    """What the candidate asked the assistant before they asked for a person, in its time."""
    turns = HelpTurn.objects.filter(
        conversation__interview=interview, conversation__handed_over_at__gte=item.opened_at
    )
    if item.closed_at is not None:
        turns = turns.filter(conversation__handed_over_at__lte=item.closed_at)
    return turns.select_related("faq").order_by("pk")


def _request_facts(request: Cancellation, user: User) -> dict[str, Any]:
    waits = request.status == CancellationStatus.REQUESTED
    decides = waits and may_decide(request, user)
    return {
        "waits": waits,
        "decides": decides,
        "is_own": waits and request.requested_by_id == user.pk,
        "deciders": [] if decides or not waits else queries.deciders(request),
        "earlier": queries.earlier_cancellations(request, user),
        "said": words.exit_rules(request.policy, request.evidence.get("stage", ""))
        + words.tiers_of(request.policy, request.notice if request.starts_at else None),
        "hints": plausibility.hints_of(request.evidence.get("hints", []))
        if request.is_exit
        else [],
        "default_approves": request.policy.get("default") != rules.Default.DECLINE,
    }
