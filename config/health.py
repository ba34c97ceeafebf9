"""Whether this process is alive, whether the product can work, and its figures."""

from functools import cache

import redis
import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache as shared_cache
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.utils.log import log_response
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from config.metrics import exposition
from notifications.tasks import HEARTBEAT_KEY, HEARTBEAT_LIFE

OK = "ok"
logger = structlog.get_logger("health")


@never_cache
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Nothing else is asked, so that a database that is away gets no web
    server restarted."""
    return HttpResponse(OK, content_type="text/plain")


@never_cache
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """What the product stands on, each "ok" or what is wrong with it; 503 where anything is."""
    found = {"database": _database(), "broker": _broker(), "worker": _worker()}
    ready = all(state == OK for state in found.values())
    _log_change(found, ready=ready)
    response = JsonResponse({"ready": ready, **found}, status=200 if ready else 503)
    if not ready:
        # Said already: else Django logs an error each time a probe comes by.
        log_response("not ready", response=response, request=request, level="debug")
    return response


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with METRICS_TOKEN as bearer token. In production there are none without."""
    token = settings.METRICS_TOKEN
    if not token and settings.PRODUCTION:
        raise Http404
    given = request.headers.get("Authorization", "")
    if token and not constant_time_compare(given, f"Bearer {token}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]


_logged: dict[str, str] = {}


def _log_change(found: dict[str, str], *, ready: bool) -> None:
    """One line when something broke or mended since this process was last asked."""
    if found == (_logged or dict.fromkeys(found, OK)):
        return
    _logged.update(found)
    log = logger.info if ready else logger.warning
    log("readiness", ready=ready, **found)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return OK


def _broker() -> str:
    try:
        _broker_client().ping()
    except redis.RedisError:
        return "The broker does not answer."
    return OK


def _worker() -> str:
    try:
        heard = shared_cache.get(HEARTBEAT_KEY)
    except redis.RedisError:
        return "Nobody can tell: it reports through the broker."
    return OK if heard else f"No worker has reported within the last {HEARTBEAT_LIFE} seconds."


@cache
def _broker_client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=None
    )
