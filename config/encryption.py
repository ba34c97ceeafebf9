"""Encrypted at rest: what must be read again, but not by who holds the database alone."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt_bytes(value: bytes) -> bytes:
    """Ciphertext under the newest key."""
    return _fernet(tuple(settings.NATIONAL_ID_KEYS)).encrypt(value)


def decrypt_bytes(token: bytes) -> bytes:
    """The clear text; raises cryptography.fernet.InvalidToken rather than hand back ciphertext."""
    return _fernet(tuple(settings.NATIONAL_ID_KEYS)).decrypt(token)


def encrypt(value: str) -> str:
    """As `encrypt_bytes`, for text."""
    return encrypt_bytes(value.encode()).decode()


def decrypt(token: str) -> str:
    """As `decrypt_bytes`, for text."""
    return decrypt_bytes(token.encode()).decode()


class EncryptedCharField(models.TextField):
    """Text that is ciphertext in the database and clear in Python; empty stays empty.

    It cannot be filtered on: keep a blind index beside it.
    """

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: str | None) -> str | None:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise TypeError("An encrypted field cannot be searched; use its blind index.")


class EncryptedBinaryField(models.BinaryField):
    """Bytes that are ciphertext in the database and clear in Python."""

    def from_db_value(self, value: bytes | None, *args: Any) -> bytes | None:
        return decrypt_bytes(bytes(value)) if value else value

    def get_prep_value(self, value: bytes | None) -> bytes | None:
        return encrypt_bytes(bytes(value)) if value else value
