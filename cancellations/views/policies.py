"""The rules for cancelling: read, written, tried on past requests, switched on and off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.utils import OperationalError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import DeskRequest, desk_permission_required
from accounts.permissions import EDIT_POLICIES
from cancellations import backtest, changes, policies, queries, rules, words
from cancellations.models import Cancellation, Policy
from cancellations.policy_forms import (
    BaseTierFormSet,
    PolicyForm,
    SwitchForm,
    TierFormSet,
    check_default,
    has_begun,
    rows_of,
)
from interviews.templatetags.when import moment

PAGE_SIZE = 50
CHANGES_SHOWN = 20
CHANGED = (policies.EditedMeanwhile, Policy.DoesNotExist)  # the draft may be gone by now
PATIENCE = "5s"  # how long the database may count before somebody is told to ask for less


@dataclass(frozen=True)
class Row:
    """One policy as the pages show it."""

    policy: Policy
    now: datetime
    may_edit: bool = False

    @property
    def scope(self) -> str:
        return words.scope_in_words(self.policy)

    @cached_property
    def tiers(self) -> tuple[rules.Tier, ...]:
        return queries.tiers_of(self.policy)

    @property
    def steps(self) -> list[words.Step]:
        return words.steps(self.tiers)

    @property
    def standing(self) -> str:
        return queries.standing(self.policy, self.now)

    @property
    def concerns(self) -> list[str]:
        return [str(words.CONCERNS[each]) for each in rules.concerns(self.tiers)]


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every policy that can matter here: those in force first, drafts and ended ones below."""
    now = timezone.now()
    found = queries.in_order_of_standing(queries.visible_policies(request.user), now)
    page = Paginator(found.prefetch_related("tiers"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [Row(policy, now) for policy in page],
        "place": "settings",
    }
    return render(request, "cancellations/policies/index.html", context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def policy(request: DeskRequest, policy_id: int) -> HttpResponse:
    """One policy: what it says, for whom, since when, and who changed it."""
    row = _row(request, policy_id)
    context = {
        "row": row,
        "policy": row.policy,
        "may_discard": row.may_edit and not queries.was_ever_on(row.policy),
        "changes": changes.of_policy(row.policy)[:CHANGES_SHOWN],
        "leaving": words.leaving(row.policy),
        "moving": words.moving(row.policy),
        "place": "settings",
    }
    return render(request, "cancellations/policies/policy.html", context)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: DeskRequest) -> HttpResponse:
    """A policy written from nothing, or (`?from=`) from another one; it is not switched on."""
    now = timezone.now()
    initial, tiers = _template(request, now)
    sent = request.POST if request.method == "POST" else None
    form = PolicyForm(sent, by=request.user, now=now, initial=initial)
    formset = _tiers(sent, tiers)
    draft = _draft(form, formset) if sent is not None else None
    if draft is None:
        return _editor(request, form, formset, {})
    created = policies.create_policy(draft, by=request.user)
    messages.success(request, _("Saved as a draft. Nothing changes until it is switched on."))
    return redirect("cancellations:policy", created.pk)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: DeskRequest, policy_id: int) -> HttpResponse:
    """Change a policy. Whoever comes second sees what the first one wrote, and keeps their own."""
    row = _editable(request, policy_id)
    sent = request.POST if request.method == "POST" else None
    form = PolicyForm(sent, instance=row.policy, by=request.user, now=row.now)
    formset = _tiers(sent, row.tiers)
    context: dict[str, Any] = {"row": row, "policy": row.policy}
    draft = _draft(form, formset) if sent is not None else None
    if draft is None:
        return _editor(request, form, formset, context)
    if "as_draft" in request.POST:
        return _save_beside(request, row, draft)
    try:
        policies.save_policy(
            policy_id,
            draft,
            by=request.user,
            version=form.cleaned_data["version"] or 0,
            is_meant="is_meant" in request.POST,
        )
    except CHANGED:
        # Read once more: what they compare with is what they would then write over.
        context |= _conflict(_editable(request, policy_id), draft)
        return _editor(request, form, formset, context, status=409)
    except policies.Unconfirmed:
        context["to_confirm"] = [words.CONCERNS[each] for each in rules.concerns(draft.tiers)]
        return _editor(request, form, formset, context, status=422)
    except policies.AlreadyEnded:
        form.add_error("until", _("Choose a later moment, or switch the policy off."))
        return _editor(request, form, formset, context)
    except policies.Overlaps as error:
        context["overlaps"] = error.others
        return _editor(request, form, formset, context, status=422)
    messages.success(request, _("Saved."))
    return redirect("cancellations:policy", policy_id)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: DeskRequest, policy_id: int) -> HttpResponse:
    """Read once more what follows, then switch the policy on, or off where it is on."""
    row = _editable(request, policy_id)
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        form = SwitchForm(request.POST)
        if form.is_valid():
            try:
                return _switch(request, row, form)
            except CHANGED:
                context["edited"] = True
                row = _editable(request, policy_id)
            except policies.Unconfirmed:
                context["unconfirmed"] = True
            except (policies.Overlaps, policies.AlreadyEnded):
                context["refused"] = True
        status = 422
    return _switch_page(request, row, context, status)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: DeskRequest, policy_id: int) -> HttpResponse:
    """A draft that was never switched on can go, after a second look."""
    row = _editable(request, policy_id)
    if queries.was_ever_on(row.policy):
        return _stays(request, policy_id)
    edited = False
    if request.method == "POST":
        form = SwitchForm(request.POST)
        version = form.cleaned_data["version"] if form.is_valid() else 0
        try:
            policies.discard_policy(policy_id, by=request.user, version=version)
        except CHANGED:
            row, edited = _editable(request, policy_id), True
        except policies.OnceInForce:
            return _stays(request, policy_id)
        else:
            messages.success(request, _("The draft is gone."))
            return redirect("cancellations:policies")
    context = {"row": row, "policy": row.policy, "edited": edited, "place": "settings"}
    status = 422 if edited else 200
    return render(request, "cancellations/policies/discard.html", context, status=status)


def _stays(request: DeskRequest, policy_id: int) -> HttpResponse:
    messages.warning(
        request, _("This policy has been switched on before, so it stays: requests refer to it.")
    )
    return redirect("cancellations:policy", policy_id)


@never_cache
@desk_permission_required(EDIT_POLICIES)
@require_safe
def trial(request: DeskRequest, policy_id: int) -> HttpResponse:
    """What the policy would have made of past requests, beside the rules in force."""
    row = _row(request, policy_id)
    asked_for = request.GET.get("days", "")
    days = next((each for each in backtest.DAYS if str(each) == asked_for), backtest.DAYS[1])
    context = {
        "row": row,
        "policy": row.policy,
        "days": days,
        "choices": backtest.DAYS,
        "place": "settings",
    }
    try:
        with transaction.atomic():
            queries.give_up_after(PATIENCE)
            context |= _trial(request, row, days)
    except OperationalError:
        context["took_too_long"] = True
    return render(request, "cancellations/policies/trial.html", context)


def _row(request: DeskRequest, policy_id: int) -> Row:
    """A policy made for another department is not there."""
    visible = queries.visible_policies(request.user).prefetch_related("tiers")
    found = get_object_or_404(visible, pk=policy_id)
    may_edit = queries.may_edit_policy(request.user, found.department_id, found.position)
    return Row(found, timezone.now(), may_edit)


def _editable(request: DeskRequest, policy_id: int) -> Row:
    """What one may read and not write is not there either to be written."""
    row = _row(request, policy_id)
    if not row.may_edit:
        raise PermissionDenied
    return row


def _template(request: DeskRequest, now: datetime) -> tuple[dict[str, Any], Sequence[rules.Tier]]:
    """What a new policy begins with: what another one says, or the tiers of the general one."""
    source = request.GET.get("from", "")
    if not (source.isascii() and source.isdigit() and len(source) < 10):
        general = rules.most_specific(queries.policies_in_force(now), rules.Scope())
        return {}, general.tiers
    row = _row(request, int(source))
    columns = queries.columns_of(row.policy) | {"since": None, "until": None}
    columns["name"] = _("%(name)s (copy)") % {"name": row.policy.name[:90]}
    return columns, row.tiers


def _tiers(sent: QueryDict | None, there: Sequence[rules.Tier]) -> BaseTierFormSet:
    """What was sent, or what there is. Of what was sent nothing counts as unchanged."""
    formset = (
        TierFormSet(prefix="tiers", initial=rows_of(there))
        if sent is None
        else TierFormSet(sent, prefix="tiers")
    )
    assert isinstance(formset, BaseTierFormSet)  # noqa: S101 - tells mypy
    return formset


def _draft(form: PolicyForm, formset: BaseTierFormSet) -> policies.Draft | None:
    """What was written; None where something of it has to be looked at again."""
    understood = form.is_valid()
    understood = formset.is_valid() and understood
    if not formset.errors or not any(formset.errors):
        check_default(form, formset.tiers())
    if not understood or form.errors:
        return None
    return policies.Draft(form.columns(), formset.tiers())


def _editor(
    request: DeskRequest,
    form: PolicyForm,
    formset: BaseTierFormSet,
    context: dict[str, Any],
    status: int | None = None,
) -> HttpResponse:
    if status is None:
        status = 422 if form.is_bound else 200
    context |= {"form": form, "formset": formset, "place": "settings"}
    return render(request, "cancellations/policies/edit.html", context, status=status)


def _save_beside(request: DeskRequest, row: Row, draft: policies.Draft) -> HttpResponse:
    """What was changed becomes a draft to be tried; what is switched on stays as it is. When that
    one began was not written for the draft."""
    columns = dict(draft.columns)
    if has_begun(row.policy, row.now):
        columns["since"] = None
    created = policies.create_policy(policies.Draft(columns, draft.tiers), by=request.user)
    messages.success(request, _("Saved as a draft. Nothing changes until it is switched on."))
    return redirect("cancellations:policy", created.pk)


def _conflict(row: Row, draft: policies.Draft) -> dict[str, Any]:
    """Who was first, and where what they wrote differs from what was typed here."""
    theirs = words.describe(queries.columns_of(row.policy), row.tiers)
    mine = words.describe(draft.columns, draft.tiers)
    return {
        "row": row,
        "version": row.policy.version,
        "changed": next(iter(changes.of_policy(row.policy)), None),
        "conflict": [
            (label, their_value, my_value)
            for (label, their_value), (_label, my_value) in zip(theirs, mine, strict=True)
            if their_value != my_value
        ],
    }


def _switch(request: DeskRequest, row: Row, form: SwitchForm) -> HttpResponse:
    version, is_meant = form.cleaned_data["version"], form.cleaned_data["is_meant"]
    if row.policy.is_active:
        policies.switch_off(row.policy.pk, by=request.user, version=version, is_meant=is_meant)
        messages.success(request, _("Switched off. Requests no longer follow this policy."))
    else:
        switched = policies.switch_on(
            row.policy.pk,
            by=request.user,
            version=version,
            is_meant=is_meant,
            replacing=form.cleaned_data["replacing"],
        )
        begun = has_begun(switched, timezone.now())
        messages.success(
            request,
            _("Switched on. Requests follow this policy from now on.")
            if begun
            else _("Switched on. Requests follow this policy from %(time)s.")
            % {"time": moment(switched.since)},
        )
    return redirect("cancellations:policy", row.policy.pk)


def _switch_page(
    request: DeskRequest, row: Row, context: dict[str, Any], status: int
) -> HttpResponse:
    policy = row.policy
    context |= {"row": row, "policy": policy, "place": "settings"}
    if policy.is_active:
        context["confirm"] = [words.NO_GENERAL] if policies.is_general(policy) else []
    else:
        others = policies.overlapping(policy, now=row.now)
        replaced = policies.replaceable(policy, now=row.now)
        context |= {
            "confirm": row.concerns,
            "replaced": replaced,
            "in_the_way": [other for other in others if other not in replaced],
            "begins_at": policies.begins_at(policy, row.now),
            "is_over": policy.until is not None and policy.until <= row.now,
            "later": policy.since is not None and policy.since > row.now,
        }
    return render(request, "cancellations/policies/switch.html", context, status=status)


@dataclass(frozen=True)
class Line:
    """One outcome: how many requests have it as recorded, by the rules in force, and as tried."""

    label: str
    recorded: int
    in_force: int
    tried: int

    @property
    def difference(self) -> str:
        return _signed(self.tried - self.in_force)


@dataclass(frozen=True)
class Changed:
    """One request that would be decided otherwise."""

    request: Cancellation
    now: str
    then: str


def _trial(request: DeskRequest, row: Row, days: int) -> dict[str, Any]:
    tried = queries.as_rule(row.policy)
    since = row.now - timedelta(days=days)
    asked = backtest.requests(request.user, tried.scope, since=since)
    in_force = queries.policies_in_force(row.now)
    result = backtest.try_policy(asked, in_force=in_force, tried=tried)
    count, median = backtest.handling_time(asked)
    each = median if median is not None else timedelta(minutes=row.policy.promised_minutes)
    outcomes = list(rules.Outcome)
    counted = [result.recorded, result.in_force, result.tried]
    hours = [each * counts[rules.Outcome.NEEDS_HR] / timedelta(hours=1) for counts in counted]
    changed = backtest.changed_requests(asked, result)
    paginator = _Counted(changed, PAGE_SIZE, count=result.changed.total())
    page = paginator.get_page(request.GET.get("page"))
    return {
        "trial": result,
        "lines": [
            Line(str(words.OUTCOMES[outcome]), *(each[outcome] for each in counted))
            for outcome in outcomes
        ],
        "hours": hours,
        "hours_more": _signed(hours[2] - hours[1], places=1),
        "each": words.span_in_words(max(each, timedelta(minutes=1))),
        "decided": count,
        "changed": [(_from_to(pair), number) for pair, number in sorted(result.changed.items())],
        "page": page,
        "rows": _changed(page.object_list, result),
        "query": f"days={days}",
    }


def _signed(number: float, places: int = 0) -> str:
    """+3, −2, 0: a real minus sign, as wide as the plus."""
    rounded = round(number, places)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{places}f}"


class _Counted(Paginator):
    """The rows were counted along with everything else."""

    def __init__(self, *args: Any, count: int) -> None:
        super().__init__(*args)
        self.count = count


def _from_to(pair: tuple[rules.Outcome, rules.Outcome]) -> str:
    return _("%(now)s → %(then)s") % {
        "now": words.OUTCOMES[pair[0]],
        "then": words.OUTCOMES[pair[1]],
    }


def _changed(found: Any, result: backtest.Trial) -> Sequence[Changed]:
    rows = found.select_related(f"{backtest.POSITION}__department")
    changed = []
    for each in rows:
        interview = each.interview
        alike = backtest.Shift(interview.application.position_id, interview.kind, each.band)
        now, then = result.shifts[alike]
        changed.append(Changed(each, str(words.OUTCOMES[now]), str(words.OUTCOMES[then])))
    return changed
