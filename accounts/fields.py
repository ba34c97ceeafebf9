"""Model fields of our own."""

from typing import Any

from django.db import models

from accounts import crypto


class EncryptedCharField(models.TextField):
    """Text that is ciphertext in the database and clear in Python; empty stays empty.

    It cannot be filtered on: keep a blind index beside it.
    """

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        return crypto.decrypt(value) if value else value

    def get_prep_value(self, value: str | None) -> str | None:
        value = super().get_prep_value(value)
        return crypto.encrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise TypeError("An encrypted field cannot be searched; use its blind index.")
