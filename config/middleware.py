"""What every request passes through."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from config import metrics, tracking

PROBES = frozenset({"healthz", "readyz", "metrics"})  # asked every few seconds, by machines
logger = structlog.get_logger("request")


class RequestLog:
    """One line a request: route, status, time. The route's pattern stands in for the path, so that
    no reference, and nothing a person typed, reaches the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        match = request.resolver_match
        route, status = match.route if match else "(none)", response.status_code
        if route in PROBES and status != 500:  # readyz logs itself what is not ready
            return response
        metrics.observe(method=request.method, route=route, status=status, seconds=seconds)
        logger.info(
            "request",
            method=request.method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )
        return response


class NamesWhoChanges:
    """What a request changes of the configuration is put down to who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self.get_response(request)

        def who() -> str:  # asked late: the API finds out itself whose token it was given
            return f"user:{request.user.pk}" if request.user.is_authenticated else "system"

        with tracking.acting(who):
            return self.get_response(request)
