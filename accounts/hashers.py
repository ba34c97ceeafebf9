"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Hasher(Argon2PasswordHasher):
    """Argon2id as the OWASP Password Storage Cheat Sheet asks for at least: 19 MiB, two passes, one
    lane. Django's default takes 100 MiB a sign-in, which a few dozen people signing in at once
    would turn into an outage."""

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
