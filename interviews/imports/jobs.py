"""Importing, undoing an import and comparing, in the background (interviews/jobs.py)."""

import io
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import IMPORT_INTERVIEWS
from config.encryption import decrypt_bytes, encrypt_bytes
from config.references import new_reference
from interviews.imports import compare, files, mapping, undo
from interviews.imports.engine import (
    Summary,
    import_file,
    no_other_import,
    wait_for_other_imports,
)
from interviews.imports.kinds import STORES
from interviews.imports.mapping import Mapping, What
from interviews.imports.problems import ImportRefused, Rejection
from interviews.imports.rows import Record, RowReader, fit
from interviews.imports.sheet import Batch, Sheet, first_rows
from interviews.imports.store import Outcome, Store
from interviews.jobs import job_kind, run_job, start_job
from interviews.models import Interview, Job, JobRow
from interviews.signals import differences_found

PREVIEW, IMPORT, UNDO, COMPARE = "import_preview", "import", "import_undo", "import_compare"
SEPARATOR = " · "
MOST_OPENED = 200  # pieces of work from one comparison: where more differs, something else is wrong
SAMPLED = 200  # rows by which the source of a file is told
SMALL = 2000  # rows read while somebody waits; more are read in the background


# --- starting ------------------------------------------------------------------------------------


def start_preview(data: bytes, name: str, chosen: Mapping, *, by: User) -> Job:
    """Find out what an import of the file would do: at once where the file is small and nobody
    imports just now, which it would have to wait for. Raises ImportRefused for what can be said of
    it without reading all of it."""
    rows = _check(data, chosen)
    # The number of the import stands before it begins: confirming twice starts it once.
    params = _spoken(by, {"mapping": chosen.name, "import": new_reference()})
    job = start_job(
        PREVIEW, by=by, total=1, params=params, file=encrypt_bytes(data), file_name=name
    )
    if rows is not None and rows <= SMALL:
        with no_other_import() as alone:
            if alone:
                run_job(job.pk)
    return job


def start_import(preview: Job, *, by: User) -> Job:
    """Import exactly what was previewed, once."""
    return start_job(
        IMPORT,
        by=by,
        total=preview.params["rows"],
        params=_spoken(
            by,
            {
                "mapping": preview.params["mapping"],
                "preview": preview.reference,
                "undo": new_reference(),
            },
        ),
        file=bytes(preview.file) if preview.file is not None else None,
        file_name=preview.file_name,
        reference=preview.params["import"],
    )


def start_undo(imported: Job, *, by: User) -> Job:
    """Take away what the import brought, as far as nothing has happened to it; once."""
    return start_job(
        UNDO,
        by=by,
        total=imported.rows.filter(outcome=Outcome.IMPORTED).count(),
        params=_spoken(by, {"import": imported.reference}),
        file_name=imported.file_name,
        reference=imported.params["undo"],
    )


def start_comparison(data: bytes, name: str, chosen: Mapping, *, by: User, source: str = "") -> Job:
    """Find out where the file and what we hold from `source` differ; where none is named, from the
    one whose keys the first rows hold. Raises ImportRefused as `start_preview`."""
    rows = _check(data, chosen, only=What.INTERVIEWS)
    source = source or compare.likely_source(first_rows(data, chosen, SAMPLED), chosen)
    return start_job(
        COMPARE,
        by=by,
        total=rows or 0,
        params=_spoken(by, {"mapping": chosen.name, "source": source}),
        file=encrypt_bytes(data),
        file_name=name,
    )


def _check(data: bytes, chosen: Mapping, *, only: What | None = None) -> int | None:
    """About how many rows the file has, where it can be told without reading them. `only` is what
    alone the file may hold."""
    with files.opened(io.BytesIO(data)) as table:
        try:
            RowReader(chosen, table.titles)
        except ImportRefused as refused:
            if other := _better(chosen, table.titles):
                raise OtherMapping(other, may_be_chosen=only in (None, other.what)) from refused
            raise
        return table.estimate


class OtherMapping(ImportRefused):
    """The file is what another mapping reads."""

    def __init__(self, other: Mapping, *, may_be_chosen: bool) -> None:
        if may_be_chosen:
            message = gettext("This looks like “%(title)s”: choose it here.")
        else:
            message = gettext("This looks like “%(title)s”. Only interviews are compared.")
        super().__init__(message % {"title": other.title})


def _better(chosen: Mapping, titles: Sequence[str]) -> Mapping | None:
    """Another mapping whose columns these are, or which at least knows more of them."""
    here = fit(chosen, titles)
    others = [mapping.load(name) for name in mapping.shipped() if name != chosen.name]
    fits = [(fit(other, titles), other) for other in others]
    better = [
        (not its.missing, its.known, other)
        for its, other in fits
        if len(its.missing) < len(here.missing) and (not its.missing or its.known > here.known)
    ]
    return max(better, key=lambda each: each[:2])[2] if better else None


def _spoken(by: User, params: dict[str, Any]) -> dict[str, Any]:
    """With the language in which who asks is answered: where they chose none, only their request
    knows it."""
    return params | {"language": by.language or translation.get_language() or ""}


def undone_by(imported: Job) -> Job | None:
    """The job that takes away what this import brought, once somebody asked for it."""
    reference = imported.params.get("undo")
    return Job.objects.filter(kind=UNDO, reference=reference).first() if reference else None


def may_be_undone(imported: Job) -> bool:
    """While it is known what it brought; who undid it already is not asked."""
    return imported.is_over and bool(imported.params.get("undo"))


def file_of(job: Job) -> bytes:
    """What was uploaded; raises ImportRefused once it is no longer kept."""
    if job.file is None:
        raise ImportRefused(_("The file is no longer kept."))
    return decrypt_bytes(bytes(job.file))


# --- what the kinds do ---------------------------------------------------------------------------


def language_of(job: Job) -> str:
    """Problems are told as who asked reads them."""
    return job.params.get("language") or settings.LANGUAGE_CODE


def _in_language_of(job: Job) -> AbstractContextManager[None]:
    return translation.override(language_of(job))


def _rows_of(job: Job) -> Sequence[Any]:
    rows = Sheet(file_of(job), mapping.load(job.params["mapping"]), language=language_of(job))
    return cast(Sequence[Any], rows)


def _rejected(job: Job, rejection: Rejection, reader: RowReader) -> JobRow:
    secret = reader.title("national_id")
    values = [
        _masked(problem.value) if secret and secret in problem.column.split("; ") else problem.value
        for problem in rejection.problems
    ]
    detail = {
        "column": rejection.columns,
        "value": "; ".join(filter(None, values)),
        "message": rejection.message,
    }
    return JobRow(job=job, number=rejection.line, outcome=REJECTED, detail=detail)


def _masked(value: str) -> str:
    """ID numbers stand nowhere in clear, not even wrong ones."""
    return f"{value[:3]}{'*' * max(len(value) - 5, 3)}{value[-2:]}" if value else ""


def of_rejection(row: JobRow) -> str:
    """What is wrong with a row, in one line."""
    return SEPARATOR.join(
        text for key in ("column", "value", "message") if (text := row.detail.get(key))
    )


REJECTED = "rejected"
FATES = {
    Outcome.IMPORTED.value: _("Imported"),
    Outcome.KNOWN.value: _("Already there"),
    REJECTED: pgettext_lazy("row of an import", "Rejected"),
}


@job_kind(PREVIEW, batch=1)
class Preview:
    """The real import of the whole file, rolled back, so that it cannot promise something else. Its
    report holds the rejected rows; the counts stand among the parameters."""

    title = _("Preview of an import")
    permission = IMPORT_INTERVIEWS
    outcomes = FATES
    words = staticmethod(of_rejection)

    def items(self, job: Job) -> Sequence[str]:
        return [job.file_name]

    def do(self, job: Job, items: Sequence[str]) -> Iterable[JobRow]:
        chosen = mapping.load(job.params["mapping"])
        rejections: list[Rejection] = []
        reader: RowReader | None = None

        def start(titles: Sequence[str], rows: int | None) -> None:
            nonlocal reader
            reader = RowReader(chosen, titles)

        def seen(line: int, cells: Sequence[str], outcome: Outcome | Rejection) -> None:
            if isinstance(outcome, Rejection):
                rejections.append(outcome)

        found: dict[str, object]
        with _in_language_of(job):
            try:
                summary = import_file(
                    io.BytesIO(file_of(job)),
                    chosen,
                    by=job.requested_by,
                    dry_run=True,
                    on_start=start,
                    on_row=seen,
                )
                found = {**_counts(summary), "rows": summary.rows}
            except ImportRefused as refused:
                rejections.clear()
                found = {"refused": str(refused)}
        Job.objects.filter(pk=job.pk).update(params=job.params | found)
        return [_rejected(job, each, reader) for each in rejections if reader]


def _counts(summary: Summary) -> dict[str, object]:
    return {
        "imported": summary.imported,
        "known": summary.known,
        "rejected": summary.rejected,
    }


@job_kind(IMPORT, batch=1000)
class Import:
    """Each row imported names, in its line of the report, all that was made for it."""

    title = _("Importing a file")
    permission = IMPORT_INTERVIEWS
    outcomes = FATES
    words = staticmethod(of_rejection)

    def items(self, job: Job) -> Sequence[Any]:
        return _rows_of(job)

    def do(self, job: Job, items: Sequence[Any]) -> Iterable[JobRow]:
        assert isinstance(items, Batch)  # noqa: S101 - what a Sheet gives
        with _in_language_of(job):
            wait_for_other_imports()
            chosen = mapping.load(job.params["mapping"])
            store = STORES[chosen.what](
                chosen, items.reader.title, by=job.requested_by, now=timezone.now()
            )
            written = iter(store.write([row for row in items if isinstance(row, Record)]))
            rows = []
            for row in items:
                outcome = row if isinstance(row, Rejection) else next(written)
                if isinstance(outcome, Rejection):
                    rows.append(_rejected(job, outcome, items.reader))
                else:
                    rows.append(self._row(job, row.line, outcome, store))
        return rows

    def _row(self, job: Job, line: int, outcome: Outcome, store: Store) -> JobRow:
        reference = store.references.get(line)
        created = store.created.get(line)
        return JobRow(
            job=job,
            number=line,
            outcome=outcome.value,
            subject=f"interview:{reference}" if reference else "",
            detail={"created": created} if created else {},
        )


@job_kind(UNDO, batch=500)
class Undo:
    """Backwards, so that what an earlier row made is free once the later ones are gone."""

    title = _("Undoing an import")
    permission = IMPORT_INTERVIEWS
    outcomes = dict(undo.Fate.choices)

    def items(self, job: Job) -> Sequence[int]:
        made = JobRow.objects.filter(job__reference=job.params["import"], outcome=Outcome.IMPORTED)
        return list(made.order_by("-number", "-pk").values_list("pk", flat=True))

    def do(self, job: Job, items: Sequence[int]) -> Iterable[JobRow]:
        with _in_language_of(job):
            wait_for_other_imports()
            made = JobRow.objects.filter(pk__in=items).order_by("-number", "-pk")
            fates = undo.remove(list(made), job=job.reference, by=job.requested_by)
        return [
            JobRow(
                job=job,
                number=row.number,
                outcome=fate,
                subject=row.subject,
                detail={"why": why} if why else {},
            )
            for row, fate, why in fates
        ]

    def words(self, row: JobRow) -> str:
        return str(undo.Why(row.detail["why"]).label) if "why" in row.detail else ""


@job_kind(COMPARE, batch=1000)
class Compare:
    """Changes nothing of what is compared. Rows that agree leave no line in the report; of those
    that do not, the first ones are put before HR."""

    title = _("Comparing with the old system")
    permission = IMPORT_INTERVIEWS
    outcomes = dict(compare.Finding.choices) | {REJECTED: _("Could not be read")}

    def items(self, job: Job) -> Sequence[Any]:
        return _rows_of(job)

    def do(self, job: Job, items: Sequence[Any]) -> Iterable[JobRow]:
        assert isinstance(items, Batch)  # noqa: S101 - what a Sheet gives
        with _in_language_of(job):
            chosen = mapping.load(job.params["mapping"])
            source = job.params.get("source") or chosen.source
            records = [row for row in items if isinstance(row, Record)]
            found = list(compare.differences(records, chosen, items.reader, source=source))
            if items.is_last:
                found += compare.only_here(items.seen, source=source)
                Job.objects.filter(pk=job.pk).update(total=job.done + len(items))
            self._ask_hr(job, [each for each in found if each.reference])
            rows = [
                _rejected(job, each, items.reader) for each in items if isinstance(each, Rejection)
            ]
            rows += [
                JobRow(
                    job=job,
                    number=each.line,
                    outcome=each.finding,
                    subject=f"interview:{each.reference}" if each.reference else "",
                    detail={"key": each.key, "fields": each.fields},
                )
                for each in found
            ]
        return rows

    def _ask_hr(self, job: Job, found: Sequence[compare.Found]) -> None:
        asked = job.rows.exclude(subject="").count()
        codes = {
            each.reference: compare.code_of(each).value
            for each in found[: max(0, MOST_OPENED - asked)]
        }
        if codes:
            differences_found.send(sender=Interview, codes=codes)

    def words(self, row: JobRow) -> str:
        """Which fields differ; the comparison's own page has their values, masked where needed."""
        names = [compare.title_of(name) for name, _theirs, _ours in row.detail.get("fields", [])]
        return SEPARATOR.join(names) or of_rejection(row) or row.detail.get("key", "")
