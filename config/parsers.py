"""How the API reads what it is sent."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON, however deep somebody nests it; what is wrong with it is said in the caller's
    language."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        except ParseError as error:
            raise ParseError(_what_is_wrong(error.__context__)) from None


def _what_is_wrong(cause: BaseException | None) -> str:
    if isinstance(cause, JSONDecodeError):
        return _("This is not JSON: look at line %(line)d, column %(column)d.") % {
            "line": cause.lineno,
            "column": cause.colno,
        }
    if isinstance(cause, LookupError):
        return _("We do not know this character set. Send UTF-8.")
    return _("This cannot be read as JSON in UTF-8.")
