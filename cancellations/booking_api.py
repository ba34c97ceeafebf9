"""The API's view of slots, of booking and moving, and of an application's way to them. Actions call
the same services as pages."""

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import TransitionNotAllowed
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoints import Endpoint
from accounts.permissions import MANAGE_SLOTS
from accounts.scopes import Scope
from cancellations.api import (
    REFERENCE,
    CancellableInterviewSerializer,
    _problem,
    _user,
    _valid,
)
from config.references import ALPHABET, LENGTH
from interviews.api import ByTime, PositionSerializer, SaneTimeField
from interviews.booking import services, slots
from interviews.booking.models import DETAIL_MAX, DeclineReason
from interviews.booking.queries import visible_positions, visible_slots
from interviews.gates.services import GateShut as Shut
from interviews.models import Application, Interview, InterviewKind, Offer, Slot, Stage
from interviews.queries import offered_slots, visible_to
from interviews.refill import queries as refill_queries
from interviews.refill import services as refill
from interviews.refill.models import OfferState
from interviews.services import SlotFull as Full

# --- Problems with a type of their own ----------------------------------------------------------


class SlotFull(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "slot_full"
    title = _("The time is not free")
    default_detail = _("It has been taken or is no longer offered. Nothing was changed.")


class InvitationExpired(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "invitation_expired"
    title = _("The invitation has run out")
    default_detail = _("Your recruiter can still find you a time.")


class MoveRefused(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "move_refused"
    title = _("The rule does not allow it")
    default_detail = _("It can no longer be moved without HR. Please call your recruiter.")


class StandsDifferently(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "stands_differently"
    title = _("The interview stands differently")
    default_detail = _("Read it again: its status does not allow this any more.")


class OfferClosed(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "offer_closed"
    title = _("The place is no longer kept")
    default_detail = _("It was answered, has run out or was taken back. Nothing was changed.")


class Busy(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "busy"
    title = _("Another interview at that time")
    default_detail = _("You have another interview at that time. Nothing was changed.")


class GateShut(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "gate_shut"
    title = _("A gate before the stage is shut")
    default_detail = _("A document is missing, or a score was not reached. Nothing was changed.")


class SlotTaken(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "slot_taken"
    title = _("There is one already")
    default_detail = _("There is a slot of this position at this time already.")


# --- What is sent and shown ---------------------------------------------------------------------


class SlotSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    position = PositionSerializer()
    kind = serializers.ChoiceField(InterviewKind.choices)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    free = serializers.IntegerField(help_text="How many can still book it; 0 where it is closed.")


class SlotFilter(serializers.Serializer):
    """Which slots: those offered for one interview, or those of one's departments."""

    interview = serializers.RegexField(
        f"^[{ALPHABET}]{{{LENGTH}}}$",
        required=False,
        help_text="What can be chosen for this interview. Candidates have to say which.",
    )
    position = serializers.CharField(required=False, max_length=100, help_text="Its code.")

    def get_fields(self) -> dict[str, serializers.Field]:
        since = SaneTimeField(required=False, help_text="Starting then or later; else from now on.")
        until = SaneTimeField(required=False, help_text="Starting before then.")
        return {**super().get_fields(), "from": since, "to": until}  # `from` is a Python keyword


class NewSlotSerializer(serializers.Serializer):
    position = serializers.CharField(max_length=100, help_text="Its code.")
    kind = serializers.ChoiceField(InterviewKind.choices, default=InterviewKind.AI)
    starts_at = SaneTimeField()
    ends_at = SaneTimeField()
    capacity = serializers.IntegerField(min_value=1, max_value=1000, default=1)

    def validate_starts_at(self, starts_at: Any) -> Any:
        if starts_at <= timezone.now():
            raise ValidationError(_("Choose a time that lies ahead."))
        return starts_at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_at"] <= attrs["starts_at"]:
            raise ValidationError({"ends_at": [_("It has to end after it starts.")]})
        return attrs


class ChosenSlotSerializer(serializers.Serializer):
    slot = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="From slots/.")


class PlaceOfferSerializer(serializers.Serializer):
    """A place kept for a candidate until they answer."""

    reference = serializers.CharField()
    state = serializers.ChoiceField(OfferState.choices)
    position = PositionSerializer(source="slot.position")
    kind = serializers.ChoiceField(InterviewKind.choices, source="slot.kind")
    starts_at = serializers.DateTimeField(source="slot.starts_at")
    ends_at = serializers.DateTimeField(source="slot.ends_at")
    held_until = serializers.DateTimeField(help_text="Until when it is kept.")


class DeclineSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(DeclineReason.choices)
    detail = serializers.CharField(
        max_length=DETAIL_MAX, allow_blank=True, default="", help_text="`other` needs it."
    )


class StageSerializer(serializers.Serializer):
    stage = serializers.ChoiceField(Stage.choices)


class ReachedSerializer(serializers.Serializer):
    """Where an application is now, and what it was invited to by reaching it."""

    application = serializers.CharField(source="reference")
    stage = serializers.ChoiceField(Stage.choices)
    invitation = serializers.CharField(
        allow_null=True, help_text="The reference of the new interview, where there is one."
    )


# --- Addresses ----------------------------------------------------------------------------------


class SlotList(Endpoint, ListAPIView):
    """Times to book, the next first."""

    scopes = {"GET": Scope.READ_INTERVIEWS, "POST": Scope.BOOK_INTERVIEWS}
    serializer_class = SlotSerializer
    pagination_class = ByTime

    def get_queryset(self) -> models.QuerySet[Slot]:
        given = _valid(SlotFilter(data=self.request.query_params))
        user, now = _user(self.request), timezone.now()
        if reference := given.get("interview"):
            visible = visible_to(user).with_facts()
            found = offered_slots(get_object_or_404(visible, reference=reference), now=now)
            found = found.select_related("position")
        elif user.works_at_desk:
            found = visible_slots(user).order_by("starts_at", "pk")
        else:
            message = _("Say for which of your interviews.")
            raise ValidationError({"interview": [message]})
        if code := given.get("position"):
            found = found.filter(position__code=code)
        if until := given.get("to"):
            found = found.filter(starts_at__lt=until)
        return found.filter(starts_at__gte=given.get("from", now))

    @extend_schema(
        operation_id="list_slots",
        parameters=[SlotFilter],
        responses={
            200: SlotSerializer(many=True),
            400: _problem("Bad filter."),
            404: _problem("No interview you may see."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="add_slot",
        request=NewSlotSerializer,
        responses={
            201: SlotSerializer,
            400: _problem("Bad time, or no such position in your departments."),
            403: _problem("For HR."),
            409: _problem("There is one already."),
        },
    )
    def post(self, request: Request) -> Response:
        user = _user(request)
        if not user.has_perm(MANAGE_SLOTS):
            raise PermissionDenied
        given = _valid(NewSlotSerializer(data=request.data))
        position = visible_positions(user).filter(code=given.pop("position")).first()
        if position is None:
            raise ValidationError({"position": [_("No position of yours has this code.")]})
        try:
            slot = slots.add_slot(Slot(position=position, **given), by=user)
        except slots.SlotTaken:
            raise SlotTaken from None
        return Response(SlotSerializer(slot).data, status=status.HTTP_201_CREATED)


def _choosing(operation_id: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        parameters=[REFERENCE],
        request=ChosenSlotSerializer,
        responses={
            200: OpenApiResponse(CancellableInterviewSerializer, "Done, or done before."),
            400: _problem("No slot is named."),
            403: _problem("Staff who may not book for candidates."),
            404: _problem("Not your interview, or not in your departments."),
            409: _problem("The time is not free, or the rule or the status does not allow it."),
        },
    )


class Booking(Endpoint):
    """Take one of the times offered for an invitation: candidates for themselves, HR for them."""

    scopes = {"POST": Scope.BOOK_INTERVIEWS}

    @_choosing("book_interview")
    def post(self, request: Request, reference: str) -> Response:
        return _take(services.book, request, reference)


class Move(Endpoint):
    """Take another of the times offered; the interview stays booked."""

    scopes = {"POST": Scope.BOOK_INTERVIEWS}

    @_choosing("move_interview")
    def post(self, request: Request, reference: str) -> Response:
        return _take(services.move, request, reference)


def _take(service: Any, request: Request, reference: str) -> Response:
    chosen = _valid(ChosenSlotSerializer(data=request.data))["slot"]
    try:
        interview = service(reference, chosen, by=_user(request))
    except Interview.DoesNotExist:
        raise NotFound from None
    except Full:
        raise SlotFull from None
    except services.InvitationExpired:
        raise InvitationExpired from None
    except services.MoveRefused:
        raise MoveRefused from None
    except (services.AlreadyBooked, TransitionNotAllowed):
        raise StandsDifferently from None
    return Response(CancellableInterviewSerializer(interview).data)


class Declining(Endpoint):
    """A candidate declines what they were invited to, and leaves the application."""

    @extend_schema(
        operation_id="decline_invitation",
        parameters=[REFERENCE],
        request=DeclineSerializer,
        responses={
            200: OpenApiResponse(CancellableInterviewSerializer, "Declined, now or before."),
            400: _problem("Unknown reason, or a detail is missing."),
            404: _problem("Not your interview."),
            409: _problem("It is no invitation any more."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        given = _valid(DeclineSerializer(data=request.data))
        try:
            declined, _is_new = services.decline(reference, by=_user(request), **given)
        except Interview.DoesNotExist:
            raise NotFound from None
        except ModelValidationError as error:
            raise ValidationError({"detail": error.messages}) from error
        except TransitionNotAllowed:
            raise StandsDifferently from None
        found = Interview.objects.with_facts().get(pk=declined.interview_id)
        return Response(CancellableInterviewSerializer(found).data)


class OfferList(Endpoint):
    """What is kept for you at the moment: times that came free while you wait for one."""

    @extend_schema(operation_id="list_offers", responses={200: PlaceOfferSerializer(many=True)})
    def get(self, request: Request) -> Response:
        kept = refill_queries.open_offers_of(_user(request))
        return Response(PlaceOfferSerializer(kept, many=True).data)


class Acceptance(Endpoint):
    """A candidate takes what is kept for them."""

    @extend_schema(
        operation_id="accept_offer",
        parameters=[REFERENCE],
        request=None,
        responses={
            200: OpenApiResponse(CancellableInterviewSerializer, "Booked, now or before."),
            404: _problem("Nothing is kept for you under this reference."),
            409: _problem("It is no longer kept, or they have another interview at that time."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        _own_offer(request, reference)
        try:
            interview = refill.accept(reference)
        except refill.Busy:
            raise Busy from None
        except refill.NotOpen:
            raise OfferClosed from None
        return Response(CancellableInterviewSerializer(interview).data)


class OfferRefusal(Endpoint):
    """A candidate does not take it: it goes to the next at once, and they wait on."""

    @extend_schema(
        operation_id="refuse_offer",
        parameters=[REFERENCE],
        request=None,
        responses={
            200: OpenApiResponse(PlaceOfferSerializer, "Let go, now or before."),
            404: _problem("Nothing is kept for you under this reference."),
            409: _problem("It is no longer kept."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        _own_offer(request, reference)
        try:
            declined = refill.decline(reference)
        except refill.NotOpen:
            raise OfferClosed from None
        return Response(PlaceOfferSerializer(declined).data)


def _own_offer(request: Request, reference: str) -> None:
    """Raises Http404."""
    get_object_or_404(Offer, reference=reference, entry__candidate__user=_user(request))


class ApplicationStage(Endpoint):
    """An application reaches a stage; reaching the AI interview invites the candidate by itself."""

    scopes = {"POST": Scope.BOOK_INTERVIEWS}

    @extend_schema(
        operation_id="reach_stage",
        parameters=[REFERENCE],
        request=StageSerializer,
        responses={
            200: ReachedSerializer,
            400: _problem("Unknown stage."),
            403: _problem("For HR."),
            404: _problem("Not in your departments."),
            409: _problem("A gate before the stage is shut."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        user = _user(request)
        if not user.has_perm(MANAGE_SLOTS):
            raise PermissionDenied
        stage = _valid(StageSerializer(data=request.data))["stage"]
        own = Application.objects.filter(position__in=visible_positions(user).values("pk"))
        application = get_object_or_404(own, reference=reference)
        try:
            invitation = services.reach_stage(application, stage, by=user)
        except Shut:
            raise GateShut from None
        shown = {
            "reference": reference,
            "stage": stage,
            "invitation": invitation.reference if invitation else None,
        }
        return Response(ReachedSerializer(shown).data)
