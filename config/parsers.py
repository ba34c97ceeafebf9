"""How the API reads what it is sent."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import parsers
from rest_framework.exceptions import APIException, ParseError


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = _("The request is too large.")


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8 whatever the header says, of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes.

    Django keeps that limit for `request.body` only, and REST framework reads past it.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        context = dict(parser_context or {}, encoding="utf-8")
        if int(context["request"].META["CONTENT_LENGTH"]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            return super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
