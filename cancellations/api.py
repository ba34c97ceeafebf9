"""The API's view of interviews and of cancelling them. Actions call the same services as pages."""

from functools import cached_property
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import TransitionNotAllowed
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.endpoints import Endpoint
from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, READ_DETAIL, VIEW_DESK
from accounts.scopes import ANY, Scope
from cancellations import queries, rules, services
from cancellations.models import (
    DETAIL_MAX,
    Cancellation,
    CancellationStatus,
    Party,
    Purpose,
    Reason,
)
from config.references import ALPHABET, LENGTH
from interviews.api import InterviewFilter, InterviewSerializer, NewestFirst
from interviews.models import Interview
from interviews.queries import visible_to

# --- Problems with a type of their own ----------------------------------------------------------


class AlreadyOver(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_over"
    title = _("The interview is over")
    default_detail = _("It has begun, has ended or was called off. There is nothing to cancel.")


class RefusedByRule(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "refused_by_rule"
    title = _("The rule does not allow it")
    default_detail = _("It is too late to cancel here. Please call your recruiter.")


class AskedTooOften(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "asked_too_often"
    title = _("Asked too often")
    default_detail = _("It was asked and taken back several times. Try again in an hour.")
    wait = 3600


class AlreadyDecided(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_decided"
    title = _("The request is not open any more")
    default_detail = _("It has been decided or taken back meanwhile.")


# --- What is shown ------------------------------------------------------------------------------


class CancelRuleSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(list(rules.Outcome))
    automatic_until = serializers.DateTimeField(
        allow_null=True, help_text="The last moment that needs nobody's approval."
    )
    promised_minutes = serializers.IntegerField(
        help_text="Within how many minutes HR promises to decide, where HR does."
    )


class MoveRuleSerializer(serializers.Serializer):
    allowed = serializers.SerializerMethodField()
    refused = serializers.ChoiceField(
        list(rules.NoMove), allow_null=True, help_text="Why not; null where it is allowed."
    )
    until = serializers.DateTimeField(help_text="The last moment.")
    left = serializers.IntegerField(help_text="How often still.")

    def get_allowed(self, rule: rules.MoveDecision) -> bool:
        return rule.refused is None


class CancellableInterviewSerializer(InterviewSerializer):
    cancel = serializers.SerializerMethodField(
        help_text="What cancelling now would do; null where there is nothing to cancel."
    )
    move = serializers.SerializerMethodField(
        help_text="What the candidate would meet who moves it now; null where there is nothing to "
        "move. HR is not held to it."
    )

    @cached_property
    def _policies(self) -> list[rules.Policy]:
        return queries.policies_in_force(timezone.now())

    @extend_schema_field(CancelRuleSerializer(allow_null=True))
    def get_cancel(self, interview: Interview) -> dict[str, Any] | None:
        rule = queries.cancel_rule(interview, self._policies, now=timezone.now())
        return CancelRuleSerializer(rule).data if rule else None

    @extend_schema_field(MoveRuleSerializer(allow_null=True))
    def get_move(self, interview: Interview) -> dict[str, Any] | None:
        rule = queries.move_rule(interview, self._policies, now=timezone.now())
        return MoveRuleSerializer(rule).data if rule else None


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="In the caller's language."
    )
    needs_detail = serializers.BooleanField()


class CancellationRequestSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=50, help_text="A code from reasons/.")
    detail = serializers.CharField(
        max_length=DETAIL_MAX, allow_blank=True, default="", help_text="Some reasons need it."
    )

    def validate_reason(self, code: str) -> Reason:
        for reason in queries.offered_reasons(Purpose.CANCEL):
            if reason.code == code:
                return reason
        raise ValidationError(_("Choose one of the reasons offered."), code="unknown")


class OutcomeSerializer(serializers.Serializer):
    """What became of a candidate's request."""

    receipt = serializers.CharField(source="reference")
    status = serializers.ChoiceField(CancellationStatus.choices)
    interview = CancellableInterviewSerializer()


class ReceiptSerializer(serializers.Serializer):
    receipt = serializers.CharField(source="cancellation.reference")
    status = serializers.ChoiceField(CancellationStatus.choices, source="cancellation.status")
    is_exit = serializers.BooleanField(
        source="cancellation.is_exit",
        help_text="Whether it proves leaving an interview that had begun, not cancelling one.",
    )
    candidate = serializers.CharField(source="masked_name", help_text="The first character only.")
    kind = serializers.CharField(source="cancellation.interview.kind")
    position = serializers.CharField(source="cancellation.interview.position.title")
    department = serializers.CharField(source="cancellation.interview.position.department.name")
    starts_at = serializers.DateTimeField(source="cancellation.starts_at", allow_null=True)
    requested_at = serializers.DateTimeField(source="cancellation.requested_at")
    decided_at = serializers.DateTimeField(source="cancellation.decided_at", allow_null=True)
    verified = serializers.BooleanField(help_text="The history is unbroken and says the same.")
    fingerprint = serializers.CharField(help_text="Hash of the history entry it stands on.")


class CancellationSerializer(serializers.Serializer):
    """A cancellation as the desk sees it."""

    receipt = serializers.CharField(source="reference")
    status = serializers.ChoiceField(CancellationStatus.choices)
    party = serializers.ChoiceField(Party.choices)
    is_exit = serializers.BooleanField(
        help_text="Whether it is about leaving an interview that had begun."
    )
    candidate = serializers.CharField(source="interview.candidate.user.name")
    interview = InterviewSerializer()
    reason = ReasonSerializer()
    detail = serializers.SerializerMethodField(
        help_text="The candidate's own words. For HR: empty to department viewers."
    )
    requested_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(
        allow_null=True, help_text="The start as it stood when this was asked."
    )
    short_notice = serializers.BooleanField()
    promised_by = serializers.DateTimeField()
    decide_by = serializers.DateTimeField(
        allow_null=True, help_text="When the rule decides, where nobody has."
    )
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(
        source="decided_by.name", default=None, allow_null=True, help_text="Null: by the rule."
    )
    note = serializers.CharField()

    def get_detail(self, cancellation: Cancellation) -> str:
        reads = self.context["request"].user.has_perm(READ_DETAIL)
        return cancellation.detail if reads else ""


class NoteSerializer(serializers.Serializer):
    note = serializers.CharField(
        max_length=DETAIL_MAX, allow_blank=True, default="", help_text="The candidate reads it."
    )


class CancellationFilter(serializers.Serializer):
    status = serializers.ChoiceField(CancellationStatus.choices, required=False)


class ReasonFilter(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {"for": serializers.ChoiceField(Purpose.choices, default=Purpose.CANCEL)}


def _valid(serializer: serializers.Serializer) -> Any:
    """Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _user(request: Request) -> User:
    """Who asks; IsAuthenticated has let nobody else through."""
    return cast(User, request.user)


# --- Addresses ----------------------------------------------------------------------------------


def _reference(name: str) -> OpenApiParameter:
    schema = {"type": "string", "pattern": f"^[{ALPHABET}]{{{LENGTH}}}$"}
    return OpenApiParameter(name, schema, OpenApiParameter.PATH)


REFERENCE, RECEIPT = _reference("reference"), _reference("receipt")


def _problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(description=description)


class InterviewList(Endpoint, ListAPIView):
    """The interviews you may see, newest first: your own, or those of your departments."""

    scopes = {"GET": Scope.READ_INTERVIEWS}

    serializer_class = CancellableInterviewSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> models.QuerySet:
        chosen = InterviewFilter(data=self.request.query_params)
        return chosen.narrow(queries.with_moves(visible_to(self.request.user).with_facts()))

    @extend_schema(
        operation_id="list_interviews",
        parameters=[InterviewFilter],
        responses={200: CancellableInterviewSerializer(many=True), 400: _problem("Bad filter.")},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class InterviewDetail(Endpoint):
    """One interview, and what the rule says of cancelling and of moving it now."""

    scopes = {"GET": Scope.READ_INTERVIEWS}

    @extend_schema(
        operation_id="get_interview",
        parameters=[REFERENCE],
        responses={200: CancellableInterviewSerializer, 404: _problem("None you may see.")},
    )
    def get(self, request: Request, reference: str) -> Response:
        visible = visible_to(request.user).with_facts()
        interview = get_object_or_404(visible, reference=reference)
        return Response(CancellableInterviewSerializer(interview).data)


class ReasonList(Endpoint):
    """The reasons offered, in the order they are shown in."""

    scopes = {"GET": ANY}

    @extend_schema(
        operation_id="list_reasons",
        parameters=[ReasonFilter],
        responses={200: ReasonSerializer(many=True), 400: _problem("Bad filter.")},
    )
    def get(self, request: Request) -> Response:
        purpose = _valid(ReasonFilter(data=request.query_params))["for"]
        return Response(ReasonSerializer(queries.offered_reasons(purpose), many=True).data)


class InterviewCancellation(Endpoint):
    """A candidate's request to cancel their own interview."""

    @extend_schema(
        operation_id="request_cancellation",
        parameters=[REFERENCE],
        request=CancellationRequestSerializer,
        responses={
            201: OpenApiResponse(OutcomeSerializer, "Cancelled, or waiting for HR."),
            200: OpenApiResponse(OutcomeSerializer, "Asked before: the same receipt."),
            400: _problem("Unknown reason, or a detail is missing."),
            404: _problem("Not your interview."),
            409: _problem("Already over, or refused by the rule."),
            429: _problem("Asked and taken back too often within the hour."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        given = _valid(CancellationRequestSerializer(data=request.data))
        try:
            cancellation, created = services.request_cancellation(
                reference, by=_user(request), **given
            )
        except Interview.DoesNotExist:
            raise NotFound from None
        except ModelValidationError as error:
            raise ValidationError({"detail": error.messages}) from error
        except services.AlreadyOver:
            raise AlreadyOver from None
        except services.CancellationRefused:
            raise RefusedByRule from None
        except services.AskedTooOften:
            raise AskedTooOften from None
        return Response(
            OutcomeSerializer(cancellation).data,
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
            headers={"Location": reverse("api:receipt", args=[cancellation.reference])},
        )

    @extend_schema(
        operation_id="take_back_cancellation",
        parameters=[REFERENCE],
        responses={
            200: OpenApiResponse(OutcomeSerializer, "Taken back: the interview stands."),
            404: _problem("You asked for no such cancellation."),
            409: _problem("Decided meanwhile."),
        },
    )
    def delete(self, request: Request, reference: str) -> Response:
        asked = Cancellation.objects.filter(
            interview__reference=reference, requested_by=_user(request)
        ).order_by("-pk")
        receipt = asked.values_list("reference", flat=True).first()
        if receipt is None:
            raise NotFound
        try:
            cancellation = services.take_back_cancellation(receipt, by=_user(request))
        except TransitionNotAllowed:
            raise AlreadyDecided from None
        return Response(OutcomeSerializer(cancellation).data)


class ReceiptDetail(APIView):
    """A receipt, for anyone who holds its number."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="get_receipt",
        parameters=[RECEIPT],
        responses={200: ReceiptSerializer, 404: _problem("No such receipt.")},
    )
    def get(self, request: Request, receipt: str) -> Response:
        try:
            return Response(ReceiptSerializer(queries.receipt(receipt)).data)
        except Cancellation.DoesNotExist:
            raise NotFound from None


class WorksAtDesk(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm(VIEW_DESK)


class CancellationList(Endpoint, ListAPIView):
    """The cancellations of your departments, newest first. `status=requested` is HR's queue."""

    scopes = {"GET": Scope.READ_CANCELLATIONS}

    permission_classes = [IsAuthenticated, WorksAtDesk]
    serializer_class = CancellationSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> models.QuerySet:
        chosen = _valid(CancellationFilter(data=self.request.query_params))
        return queries.visible_cancellations(self.request.user).with_facts().filter(**chosen)

    @extend_schema(
        operation_id="list_cancellations",
        parameters=[CancellationFilter],
        responses={
            200: CancellationSerializer(many=True),
            400: _problem("Bad filter."),
            403: _problem("For staff only."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


def _decision(operation_id: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        parameters=[RECEIPT],
        request=NoteSerializer,
        responses={
            200: CancellationSerializer,
            400: _problem("The note is too long."),
            403: _problem("You may not decide, or you made the request yourself."),
            404: _problem("Not in your departments."),
            409: _problem("Decided meanwhile."),
        },
    )


class Approval(Endpoint):
    """HR accepts a request: the interview is called off and everybody is told."""

    scopes = {"POST": Scope.DECIDE_CANCELLATIONS}

    @_decision("approve_cancellation")
    def post(self, request: Request, receipt: str) -> Response:
        return _decide(services.approve_cancellation, request, receipt)


class Refusal(Endpoint):
    """HR keeps the appointment, and the candidate reads the note."""

    scopes = {"POST": Scope.DECIDE_CANCELLATIONS}

    @_decision("refuse_cancellation")
    def post(self, request: Request, receipt: str) -> Response:
        return _decide(services.decline_cancellation, request, receipt)


def _decide(service: Any, request: Request, receipt: str) -> Response:
    cancellation = get_object_or_404(queries.visible_cancellations(request.user), reference=receipt)
    if not request.user.has_perm(DECIDE_CANCELLATION):
        raise PermissionDenied
    note = _valid(NoteSerializer(data=request.data))["note"]
    try:
        decided = service(cancellation.pk, by=_user(request), note=note)
    except TransitionNotAllowed:
        raise AlreadyDecided from None
    return Response(CancellationSerializer(decided, context={"request": request}).data)
