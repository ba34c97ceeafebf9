"""What is measured runs as in production, whichever way it was started."""

import os

os.environ["MIANYUE_MODE"] = "production"
os.environ.setdefault("SECRET_KEY", "for-benchmarks-only-" + "x" * 40)
os.environ.setdefault("NATIONAL_ID_KEYS", "bWlhbnl1ZS1kZW1vLWFuZC10ZXN0LWtleS0wMDAwMDA=")
os.environ.setdefault("NATIONAL_ID_HASH_KEY", "for-benchmarks-only")
os.environ.setdefault("PUBLIC_URL", "https://127.0.0.1")
os.environ.setdefault("HOTLINE", "400-000-0000")
os.environ.setdefault("HELP_MAILBOX", "interviews@mianyue.example")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
