"""The API's reference for people, drawn from its OpenAPI document.

Its descriptions stand in the code in English; the catalogue translates them like any other text
(the command `messages` collects them).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

Schema = dict[str, Any]


@dataclass(frozen=True)
class Type:
    """What a value is: a word, or one of the objects described further down."""

    word: str
    link: str = ""


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of an object."""

    name: str
    type: Type
    description: SafeString
    required: bool
    nullable: bool
    choices: list[str]
    longest: int | None


@dataclass(frozen=True)
class Answer:
    """What comes back with a status; no type where it is a problem."""

    status: str
    description: SafeString
    type: Type | None
    example: str


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    description: SafeString
    is_public: bool
    parameters: list[Field]
    body: list[Field]
    call: str
    answers: list[Answer]


@dataclass(frozen=True)
class Thing:
    """An object that answers are made of."""

    name: str
    description: SafeString
    fields: list[Field]


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every address, with what it takes and what it answers."""
    reference = Reference(document())
    context = {
        "version": document()["info"]["version"],
        "introduction": translated(document()["info"]),
        "operations": list(reference.operations()),
        "things": list(reference.things()),
    }
    return render(request, "api/docs.html", context)


@cache
def document() -> Schema:
    """The OpenAPI document, the same as long as this process lives."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def texts() -> set[str]:
    """Every description the page may show."""
    parts = document()
    return set(_descriptions([parts["info"], parts["paths"], parts["components"]["schemas"]]))


def _descriptions(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "description" and isinstance(value, str) and value:
                yield value
            else:
                yield from _descriptions(value)
    elif isinstance(part, list):
        for each in part:
            yield from _descriptions(each)


def translated(part: Schema) -> SafeString:
    """The description of one part in the reader's language, with what stands in backticks as code;
    empty where there is none."""
    text = part.get("description", "")
    words = escape(_(text) if text else "")
    return mark_safe(re.sub(r"`(.+?)`", r"<code>\1</code>", words))  # noqa: S308 - escaped above


class Reference:
    """The document in the reader's language."""

    def __init__(self, document: Schema) -> None:
        self.paths: Schema = document["paths"]
        self.schemas: Schema = document["components"]["schemas"]
        self.values = example_values()
        self.booked = self._example({"$ref": "#/components/schemas/CancellableInterview"})
        self.values["Outcome.interview"] = {**self.booked, "status": "cancelling", "cancel": None}

    def operations(self) -> Iterator[Operation]:
        for path, methods in self.paths.items():
            for method, operation in methods.items():
                yield self._operation(path, method, operation)

    def things(self) -> Iterator[Thing]:
        """Whatever has members of its own; lists and choices are told where they are used."""
        for name, schema in sorted(self.schemas.items()):
            if "properties" in schema and "results" not in schema["properties"]:
                yield Thing(name, translated(schema), self._fields(schema))

    def _operation(self, path: str, method: str, operation: Schema) -> Operation:
        parameters = [
            self._field(
                each["name"], {**each["schema"], **each}, required=bool(each.get("required"))
            )
            for each in operation.get("parameters", [])
        ]
        body = _content(operation.get("requestBody", {}))
        return Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            description=translated(operation),
            is_public={} in operation["security"],
            parameters=parameters,
            body=self._fields(self._resolved(body)),
            call=self._call(path, method, operation, body),
            answers=[
                self._answer(operation["operationId"], status, each)
                for status, each in sorted(operation["responses"].items())
                if status != "default"
            ],
        )

    def _answer(self, operation: str, status: str, response: Schema) -> Answer:
        schema = _content(response)
        description = translated(response)
        if status >= "400":
            return Answer(status, description, None, "")
        example = self._after(operation, self._example(schema))
        shown = json.dumps(example, ensure_ascii=False, indent=2)
        return Answer(status, description, self._type(schema), shown)

    def _call(self, path: str, method: str, operation: Schema, body: Schema) -> str:
        """For a shell."""
        address = settings.PUBLIC_URL.rstrip("/") + path.format_map(self.values)
        lines = [f"curl -X DELETE {address}" if method == "delete" else f"curl {address}"]
        if {} not in operation["security"]:
            lines.append("-H 'Authorization: Token …'")
        if body:
            lines.append("-H 'Content-Type: application/json'")
            sent = {name: value for name, value in self._example(body).items() if value != ""}
            lines.append(f"-d '{json.dumps(sent, ensure_ascii=False)}'")
        return " \\\n  ".join(lines)

    def _fields(self, schema: Schema) -> list[Field]:
        required = schema.get("required", [])
        return [
            self._field(name, part, required=name in required)
            for name, part in schema.get("properties", {}).items()
        ]

    def _field(self, name: str, schema: Schema, *, required: bool) -> Field:
        return Field(
            name=name,
            type=self._type(schema),
            description=translated(schema),
            required=required,
            nullable=schema.get("nullable", False),
            choices=self._resolved(schema).get("enum", []),
            longest=schema.get("maxLength"),
        )

    def _type(self, schema: Schema) -> Type:
        resolved = self._resolved(schema)
        if "results" in resolved.get("properties", {}):
            item = self._type(resolved["properties"]["results"]["items"])
            return Type(_("page of %(things)s") % {"things": item.word}, item.link)
        if resolved.get("type") == "array":
            item = self._type(resolved["items"])
            return Type(_("list of %(things)s") % {"things": item.word}, item.link)
        name = _name(schema)
        if name and "properties" in resolved:
            return Type(name, name)
        kind = resolved.get("format") or resolved.get("type", "")
        return Type(type_words().get(kind) or type_words()[resolved.get("type", "object")])

    def _resolved(self, schema: Schema) -> Schema:
        """The schema itself, where this only points at it."""
        name = _name(schema)
        return self.schemas[name] if name else schema

    def _example(self, schema: Schema) -> Any:
        owner, schema = _name(schema), self._resolved(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "array":
            return [self._example(schema["items"])]
        if "properties" in schema:
            return {
                name: self._example_of(name, f"{owner}.{name}", part)
                for name, part in schema["properties"].items()
            }
        if schema.get("type") == "object":
            return {"interviews": "/api/v1/interviews/", "reasons": "/api/v1/reasons/"}
        if schema.get("format") == "date":
            return "2026-05-01"
        return {"boolean": True, "integer": 15, "number": 30.0}.get(schema.get("type", ""), "…")

    def _after(self, operation: str, example: Any) -> Any:
        """What an operation that ends a request answers."""
        if operation == "take_back_cancellation":
            return {**example, "status": "lapsed", "interview": self.booked}
        ends = {
            "approve_cancellation": "approved",
            "refuse_cancellation": "declined",
            "cancel_for_company": "approved",
        }
        if operation not in ends:
            return example
        status = "cancelled" if ends[operation] == "approved" else "booked"
        return {
            **example,
            "status": ends[operation],
            "interview": {**example["interview"], "status": status},
            "decided_at": "2026-05-09T09:41:00+08:00",
            "decided_by": pgettext("name of a person", "Wu Jianguo"),
            "note": self.values["note"],
        }

    def _example_of(self, name: str, full_name: str, schema: Schema) -> Any:
        for known in (full_name, name):
            if known in self.values:
                return self.values[known]
        return self._example(schema)


def _content(part: Schema) -> Schema:
    """The schema of a body or an answer, whatever its media type."""
    for content in part.get("content", {}).values():
        return content["schema"]
    return {}


def _name(schema: Schema) -> str:
    """Of the schema that this one points at, if it does."""
    [pointing] = schema.get("allOf", [schema])
    return pointing.get("$ref", "").rpartition("/")[2]


def type_words() -> dict[str, str]:
    """By OpenAPI's format or, where that says nothing, its type."""
    return {
        "string": pgettext("type of a value", "text"),
        "integer": pgettext("type of a value", "whole number"),
        "number": pgettext("type of a value", "number"),
        "boolean": pgettext("type of a value", "true or false"),
        "object": pgettext("type of a value", "object"),
        "date": pgettext("type of a value", "day, ISO 8601"),
        "date-time": pgettext("type of a value", "time with offset, ISO 8601"),
        "uri": pgettext("type of a value", "address"),
        "email": pgettext("type of a value", "email address"),
    }


def example_values() -> dict[str, Any]:
    """By the name of a member, with that of its object before it where names mean several things.
    What is not here is made up from its type."""
    return {
        "reference": "7K2M9QX4TB",
        "receipt": "4N8RTC2W6Z",
        "job": "6YJ1QW8VD5",
        "identifier": "13800000001",
        "password": "mianyue-demo",
        "token": "3f1c0b6e5d8a47929b7e4f60c2d1a85e9f7b3c46",
        "title": _("Assembly technician"),
        "label": _("The time does not suit me"),
        "detail": "",
        "note": _("See you another day."),
        "starts_at": "2026-05-09T14:00:00+08:00",
        "automatic_until": "2026-05-08T14:00:00+08:00",
        "requested_at": "2026-05-09T09:30:00+08:00",
        "promised_by": "2026-05-09T09:45:00+08:00",
        "decide_by": "2026-05-09T13:30:00+08:00",
        "decided_at": None,
        "decided_by": None,
        "short_notice": False,
        "needs_detail": False,
        "email": "hr@demo.example",
        "phone": "+8613800000090",
        "next": None,
        "previous": None,
        "fingerprint": "9d5e3ecdeb0f8a1c57b264f0a3e1d7c8b96f42105ae87d3bc1f09e6248a7d5b3",
        "Credentials.code": "",
        "Position.code": "ZZ-1001",
        "Department.code": "assembly",
        "Department.name": _("Assembly"),
        "Recruiter.name": pgettext("name of a person", "Zhou Min"),
        "CancellableInterview.status": "booked",
        "Interview.status": "cancelling",
        "Cancellation.candidate": pgettext("name of a person", "Wang Siyuan"),
        "Cancellation.note": "",
        "CancellationRequest.reason": "time_conflict",
        "Reason.code": "time_conflict",
        "Receipt.candidate": pgettext("name of a person", "W***"),
        "Rate.numerator": 9,
        "Rate.denominator": 60,
        "Rate.share": 0.15,
        "HourOfTheWeek.weekday": 0,
        "HourOfTheWeek.hour": 10,
        "OverviewRow.key": "ZZ-1001",
        "ReasonRow.key": "ZZ-1001",
        "LackingBySource.key": "",
        "LackingBySource.title": _("Our own"),
        "Metric.department": "assembly",
        "Metric.position": "ZZ-1001",
        "Metric.category": "frontline",
        "Metric.source": "",
        "Metric.kind": "ai",
        "Receipt.kind": "ai",
        "Receipt.position": _("Assembly technician"),
        "Receipt.department": _("Assembly"),
    }
