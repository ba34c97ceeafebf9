"""National ID numbers and files that hold them: encrypted at rest, found by a keyed hash."""

import hashlib
import hmac

from django.conf import settings

from config.encryption import decrypt, decrypt_bytes, encrypt, encrypt_bytes

__all__ = ["blind_index", "decrypt", "decrypt_bytes", "encrypt", "encrypt_bytes"]


def blind_index(value: str) -> str:
    """HMAC-SHA-256 of the normalised value, in hex: equal numbers meet, and nobody without the key
    can try all numbers against it."""
    return hmac.new(
        settings.NATIONAL_ID_HASH_KEY.encode(), value.encode(), hashlib.sha256
    ).hexdigest()
