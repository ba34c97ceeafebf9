"""The figures of the desk's pages, for other systems; and what they are added up from."""

from collections.abc import Callable
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoints import Endpoint
from accounts.scopes import Scope
from analytics.api import answers, metrics
from analytics.api.asking import InsightQuery, MetricQuery, SeriesQuery
from analytics.figures import Period
from cancellations.api import WorksAtDesk, _problem, _user

UNCLEAR = "What is asked for cannot be understood, or is not yours."


class Insight(Endpoint):
    """One page of figures: of a period and, if asked for, of the one before."""

    scopes = {"GET": Scope.READ_FIGURES}
    permission_classes = [IsAuthenticated, WorksAtDesk]
    query: type[InsightQuery] = InsightQuery
    build: Callable[..., answers.Told]
    told: type[serializers.Serializer]

    def answer(self, request: Request) -> Response:
        query = self.query(data=request.query_params)
        asked = query.asked(_user(request))
        chosen = query.validated_data
        further: list[Any] = []
        if isinstance(query, SeriesQuery):
            further = [chosen.get("step", asked.step), chosen.get("by")]

        def of(period: Period) -> dict[str, Any]:
            found = self.told(type(self).build(asked, period, *further)).data
            return {"since": period.since, "until": period.until, "figures": found}

        before = of(asked.before) if chosen["compare"] else None
        return Response({**of(asked.period), "before": before})


def _documented(name: str, told: type[serializers.Serializer], query: type[InsightQuery]) -> Any:
    members = {
        "since": serializers.DateField(help_text="The first day."),
        "until": serializers.DateField(help_text="The last day."),
        "figures": told(),
    }
    before = inline_serializer(
        f"{name.capitalize()}Before",
        dict(members),  # a serializer takes what it is given out of it
        allow_null=True,
        help_text="Those of the period before; null where `compare` was not asked for.",
    )
    return extend_schema(
        operation_id=f"get_{name}_figures",
        parameters=[query],
        responses={
            200: inline_serializer(f"{name.capitalize()}Answer", members | {"before": before}),
            400: _problem(UNCLEAR),
            403: _problem("For staff only."),
        },
    )


class Overview(Insight):
    """From invitation to completed interview: counts, rates, what was saved and refilled; over time
    and, with `by`, beside one another. Each interview counts on the day of its start; before it has
    one, on the day of the invitation."""

    query = SeriesQuery
    build = answers.overview
    told = answers.OverviewFiguresSerializer

    @_documented("overview", told, query)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Reasons(Insight):
    """Why interviews end early, by who ended them; over time and, with `by`, beside one another."""

    query = SeriesQuery
    build = answers.reasons
    told = answers.ReasonFiguresSerializer

    @_documented("reasons", told, query)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Timing(Insight):
    """Which hours of the week are booked, called off and missed; how long before the start
    candidates ask to cancel."""

    build = answers.timing
    told = answers.TimingFiguresSerializer

    @_documented("timing", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Exits(Insight):
    """Where people leave the interview, and where they do not come back to it."""

    build = answers.exits
    told = answers.ExitFiguresSerializer

    @_documented("exits", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Attendance(Insight):
    """Who does not come, by reminder, step, place and answer; what HR decided about absences."""

    build = answers.attendance
    told = answers.AttendanceFiguresSerializer

    @_documented("attendance", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Decisions(Insight):
    """What became of requests, how long they waited, what was saved and refilled."""

    build = answers.decisions
    told = answers.DecisionFiguresSerializer

    @_documented("decisions", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Delivery(Insight):
    """Whether messages about interviews arrive, by channel and provider, and why not."""

    build = answers.delivery
    told = answers.DeliveryFiguresSerializer

    @_documented("delivery", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


class Quality(Insight):
    """What HR was asked to look at, and what records lack."""

    build = answers.quality
    told = answers.QualityFiguresSerializer

    @_documented("quality", told, InsightQuery)
    def get(self, request: Request) -> Response:
        return self.answer(request)


# --- rows, for tools that add up themselves -------------------------------------------------------


class Csv(JSONRenderer):
    """Problems are JSON, whatever was asked for; rows are written by analytics.api.metrics."""

    media_type = "text/csv"
    format = "csv"


class JsonLines(JSONRenderer):
    media_type = "application/x-ndjson"
    format = "jsonl"


WRITERS = {"csv": metrics.as_csv, "jsonl": metrics.as_json_lines}


class Metrics(Endpoint):
    """Every count there is, one row for each day, position, source and kind in which anything
    happened: for tools that add up themselves. A position after the other, its days in order; the
    answer is written while it is read, so that it may be of any length."""

    scopes = {"GET": Scope.READ_FIGURES}
    permission_classes = [IsAuthenticated, WorksAtDesk]
    renderer_classes = (Csv, JsonLines)

    @extend_schema(
        operation_id="list_metrics",
        parameters=[MetricQuery],
        responses={
            (200, JsonLines.media_type): metrics.MetricSerializer,
            (200, Csv.media_type): OpenApiTypes.STR,
            400: _problem(UNCLEAR),
            403: _problem("For staff only."),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        asked = MetricQuery(data=request.query_params).asked(_user(request))
        renderer = request.accepted_renderer
        return StreamingHttpResponse(
            WRITERS[renderer.format](asked), content_type=f"{renderer.media_type}; charset=utf-8"
        )
