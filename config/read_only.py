"""Rows that administrators look at and never touch."""

from django.db.models import Model
from django.http import HttpRequest


class ReadOnly:
    """Mixed into an admin: looked at here, never changed."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
