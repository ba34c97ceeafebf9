"""National ID numbers and files that hold them: encrypted at rest, found by a keyed hash."""

import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


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


def blind_index(value: str) -> str:
    """HMAC-SHA-256 of the normalised value, in hex: equal numbers meet, and nobody without the key
    can try all numbers against it."""
    return hmac.new(
        settings.NATIONAL_ID_HASH_KEY.encode(), value.encode(), hashlib.sha256
    ).hexdigest()
