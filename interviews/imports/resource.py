"""The engine behind django-import-export's preview, and what an export holds."""

import io
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.admin.utils import label_for_field
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export import fields, resources
from import_export.formats.base_formats import Format
from import_export.results import Error, Result
from import_export.tmp_storages import CacheStorage

from accounts.crypto import decrypt_bytes, encrypt_bytes
from accounts.models import User
from interviews.imports import mapping, template
from interviews.imports.engine import Summary, import_file, no_other_import
from interviews.imports.problems import ImportRefused, Rejection
from interviews.imports.store import Outcome
from interviews.imports.text import harmless
from interviews.models import Interview

ROWS_SHOWN = 100


class UploadGone(Exception):
    """The previewed file is no longer kept."""


class Upload(Format):
    """The bytes of the file, whichever of our formats it is: the engine looks for itself."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding  # as text formats have it; the engine finds out itself

    def get_title(self) -> str:
        return "CSV, XLSX"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> bytes:
        return in_stream


class PreviewedUpload(CacheStorage):
    """Keeps the file between preview and confirmation, for every web worker, for an hour at most.

    Encrypted, because it may hold ID numbers and the cache may be written to disk.
    """

    CACHE_LIFETIME = 3600

    def save(self, data: bytes) -> None:
        super().save(encrypt_bytes(data))

    def read(self) -> bytes:
        data = super().read()
        if not isinstance(data, bytes):
            raise UploadGone
        try:
            return decrypt_bytes(data)
        except InvalidToken as error:  # its key was retired meanwhile
            raise UploadGone from error


class Preview(Result):
    """What the engine did or would do: the counts of all rows, the first ones to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.summary = Summary()
        self.new: list[list[Any]] = []  # each row: its line, then its cells
        self.known: list[list[Any]] = []
        self.rejections: list[Rejection] = []

    def has_validation_errors(self) -> bool:
        """Whether there is nothing to confirm; rejected rows alone stop nobody from importing the
        others."""
        return not self.summary.imported

    @property
    def is_empty(self) -> bool:
        """Whether the file could be read but holds no rows below its titles."""
        return not self.base_errors and not self.summary.rows

    @property
    def new_hidden(self) -> int:
        return self.summary.imported - len(self.new)

    @property
    def known_hidden(self) -> int:
        return self.summary.known - len(self.known)

    @property
    def rejections_hidden(self) -> int:
        return self.summary.rejected - len(self.rejections)

    def add(self, line: int, cells: Sequence[str], outcome: Outcome | Rejection) -> None:
        match outcome:
            case Rejection():
                _keep(self.rejections, outcome)
            case Outcome.KNOWN:
                _keep(self.known, [line, *cells])
            case Outcome.IMPORTED:
                _keep(self.new, [line, *cells])


def _keep(shown: list[Any], row: Any) -> None:
    if len(shown) < ROWS_SHOWN:
        shown.append(row)


class InterviewUpload(resources.Resource):
    """import-export's name for one import; the engine does the work."""

    def __init__(self, mapping: str = template.MAPPING, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mapping = mapping

    @classmethod
    def get_display_name(cls) -> str:
        return str(Interview._meta.verbose_name_plural)

    def import_data(
        self, dataset: bytes, dry_run: bool = False, *, user: User, **kwargs: Any
    ) -> Preview:
        result = Preview()

        def start(titles: Sequence[str], rows: int | None) -> None:
            result.diff_headers = list(titles)

        try:
            with no_other_import() as alone:
                if not alone:
                    message = _("Another import is under way. Try again once it has ended.")
                    raise ImportRefused(message)
                result.summary = import_file(
                    io.BytesIO(dataset),
                    mapping.load(self.mapping),
                    by=user,
                    dry_run=dry_run,
                    on_start=start,
                    on_row=result.add,
                )
        except ImportRefused as refused:
            result.append_base_error(Error(refused))
        return result


def _column_title(name: str) -> str:
    """In the language of who exports."""
    joined = {"candidate": _("candidate"), "position": _("position"), "department": _("department")}
    return capfirst(joined.get(name) or str(label_for_field(name, Interview)))


class InterviewExport(resources.ModelResource):
    """Interviews as a table to read; nothing in it is run by a spreadsheet."""

    candidate = fields.Field("application__candidate__user__name", "candidate")
    position = fields.Field("application__position__title", "position")
    department = fields.Field("application__position__department__name", "department")
    status = fields.Field("status", "status")  # protected: read as it stands

    class Meta:
        model = Interview
        fields = (
            "reference",
            "candidate",
            "position",
            "department",
            "kind",
            "status",
            "starts_at",
            "ends_at",
            "location",
            "source",
            "source_key",
        )
        export_order = fields

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, field in self.fields.items():
            field.column_name = _column_title(name)

    def filter_export(self, queryset: Any, **kwargs: Any) -> Any:
        return queryset.with_facts()

    def export_field(self, field: fields.Field, instance: Interview, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return harmless(value) if isinstance(value, str) else value
