"""Every error of the API as problem details (RFC 9457), whichever layer it comes from."""

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"
API = "/api/"
TITLES = {
    400: gettext_lazy("Bad Request"),
    401: gettext_lazy("Unauthorized"),
    403: gettext_lazy("Forbidden"),
    404: gettext_lazy("Not Found"),
    405: gettext_lazy("Method Not Allowed"),
    406: gettext_lazy("Not Acceptable"),
    409: gettext_lazy("Conflict"),
    413: gettext_lazy("Request Entity Too Large"),
    415: gettext_lazy("Unsupported Media Type"),
    422: gettext_lazy("Unprocessable Content"),
    429: gettext_lazy("Too Many Requests"),
    500: gettext_lazy("Internal Server Error"),
    503: gettext_lazy("Service Unavailable"),
}


def problem(
    status: int, *, code: str, detail: Any, instance: str, title: Any = "", errors: Any = None
) -> dict[str, Any]:
    """The members of a problem. `code` tells types apart; the title is in the caller's language and
    never changes with the case."""
    body = {
        "type": f"urn:mianyue:problem:{code.replace('_', '-')}",
        "title": str(title or TITLES.get(status, HTTPStatus(status).phrase)),
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    return body if errors is None else {**body, "errors": errors}


class BodyTooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = gettext_lazy("The request is too large.")


def handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER. What it does not know becomes a 500 further out."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        exc = BodyTooLarge()
    if not isinstance(exc, exceptions.APIException):
        return None
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    plain = isinstance(exc.detail, str)
    body = problem(
        exc.status_code,
        code=getattr(exc.detail, "code", exc.default_code),
        title=getattr(exc, "title", ""),
        detail=exc.detail if plain else exc.default_detail,
        instance=context["request"].path,
        errors=None if plain else dict(_by_field(exc.detail)),
    )
    return Response(body, status=exc.status_code, headers=headers, content_type=MEDIA_TYPE)


def _by_field(errors: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """What is wrong with each field; with an item inside one as "references.2"."""
    if isinstance(errors, dict):
        for name, wrong in errors.items():
            yield from _by_field(wrong, f"{path}.{name}" if path else str(name))
    else:
        yield path or "non_field_errors", errors


# --- What goes wrong outside REST framework: config.views hands it here -------------------------


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _answer(request, 400, "invalid", _("The request cannot be read."))


def server_error(request: HttpRequest) -> JsonResponse:
    detail = _("Something broke on our side. It has been recorded; try again later.")
    return _answer(request, 500, "error", detail)


def unavailable(request: HttpRequest) -> JsonResponse:
    detail = _("Part of our service is away for a moment. Try again in a minute.")
    return _answer(request, 503, "unavailable", detail)


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    body = problem(status, code=code, detail=detail, instance=request.path)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


# --- What the OpenAPI document says of them ------------------------------------------------------

SCHEMA = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Tells problems apart."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do next, in the caller's language."},
        "instance": {"type": "string", "description": "The address that was asked for."},
        "errors": {
            "type": "object",
            "description": "For a field that is wrong, what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status", "detail", "instance"],
}


IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "Sent again with the same key within a day, the request has no second effect and"
    " gets the first answer. 422 where the key came with another request, 409 while that one is"
    " under way.",
}


def document(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give every operation its errors: those it names, and one entry for all the others; and every
    POST of somebody who is known the key that makes it happen once."""
    result["components"].setdefault("schemas", {})["Problem"] = SCHEMA
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in result["paths"].values():
        if (post := methods.get("post")) and post["operationId"] != "sign_in":
            post.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        for operation in methods.values():
            responses = operation["responses"]
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = content
            responses["default"] = {"description": "Any other problem.", "content": content}
    return result
