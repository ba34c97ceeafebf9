"""What is kept in both languages, as the reader reads it."""

from django.conf import settings
from django.utils import translation


def worded(zh: str, en: str, language: str = "") -> str:
    """The wording in this language; unless one is named, in the one in use."""
    language = language or translation.get_language() or settings.LANGUAGE_CODE
    return zh if language.startswith("zh") else en
