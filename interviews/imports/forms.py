"""The two steps of an import in the admin: choose a file, confirm what was previewed."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from import_export.forms import ConfirmImportForm, ImportForm

from interviews.imports import mapping, template
from interviews.imports.answers import source_named
from interviews.imports.compare import sources
from interviews.imports.files import MEBIBYTE
from interviews.imports.mapping import What

LARGEST_UPLOAD = 10 * MEBIBYTE  # the command takes larger ones


def _mappings() -> list[tuple[str, str]]:
    """Those of interviews, our own template first: it is what most files are."""
    return mappings_of(What.INTERVIEWS)


def mappings_of(what: str) -> list[tuple[str, str]]:
    own = template.MAPPINGS[What(what)]
    others = [mapping.load(name) for name in mapping.shipped() if name != own]
    fitting = [mapping.load(own), *(each for each in others if each.what == what)]
    return [(each.name, each.title) for each in fitting]


def _of_every_kind() -> list[tuple[str, list[tuple[str, str]]]]:
    return [(str(what.label), mappings_of(what)) for what in What]


def within_limit(file: UploadedFile) -> UploadedFile:
    """Raises ValidationError for a file larger than the desk takes."""
    if (file.size or 0) > LARGEST_UPLOAD:
        raise forms.ValidationError(
            _(
                "The file is larger than %(limit)d MB. Split it and import one part after the "
                "other."
            ),
            params={"limit": LARGEST_UPLOAD // MEBIBYTE},
        )
    return file


class FileForm(forms.Form):
    """A file, and what it is, at the desk."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8 or GB18030) or XLSX, at most 10 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    mapping = forms.ChoiceField(
        label=_("What it holds"),
        choices=_of_every_kind,
        initial=template.MAPPING,
        help_text=_("What the rows are, and what the columns mean."),
    )

    def clean_file(self) -> UploadedFile:
        return within_limit(self.cleaned_data["file"])


def _sources() -> list[tuple[str, str | Promise]]:
    return [
        ("", _("The source whose keys the file holds")),
        *((source, source_named(source)) for source in sources()),
    ]


class ComparisonForm(FileForm):
    mapping = forms.ChoiceField(
        label=_("Mapping"),
        choices=_mappings,
        initial=template.MAPPING,
        help_text=_("What the columns of the file mean."),
    )
    source = forms.ChoiceField(
        label=_("Compared with interviews from"),
        choices=_sources,
        required=False,
        help_text=_("The source, as the page of an interview names it."),
    )


class UploadForm(ImportForm):
    mapping = forms.ChoiceField(
        label=_("Mapping"),
        choices=_mappings,
        initial=template.MAPPING,
        help_text=_("What the columns of the file mean."),
    )
    field_order = ["resource", "import_file", "mapping", "format"]

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        # There is one format and one resource; what the browser says of them does not matter.
        self.fields["format"].widget = self.fields["resource"].widget = forms.HiddenInput()
        self.fields["format"].required = False

    def clean_format(self) -> str:
        return "0"

    def clean_import_file(self) -> UploadedFile:
        return within_limit(self.cleaned_data["import_file"])


class ConfirmForm(ConfirmImportForm):
    mapping = forms.ChoiceField(choices=_mappings, widget=forms.HiddenInput())

    def clean_format(self) -> str:
        return "0"

    def clean_resource(self) -> str:
        return "0"
