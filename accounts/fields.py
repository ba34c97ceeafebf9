"""Model fields of our own."""

from config.encryption import EncryptedCharField

__all__ = ["EncryptedCharField"]
