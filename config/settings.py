"""Settings, all of them from environment variables (the table in README.md lists each)."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Mode ---------------------------------------------------------------------------------------
# "demo" and "test" bring harmless defaults and keep every message on the machine; "production",
# the default, demands each secret.
MODE = env.choice("MIANYUE_MODE", ["production", "demo", "test"], "production")
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
TEST = MODE == "test"

DEBUG = env.flag("DEBUG", False)
if DEBUG and PRODUCTION:
    env.complain("DEBUG must be off in production: error pages would show secrets.")


def _harmless(default: str) -> str | None:
    """Good enough for a demo and for tests; production must be told."""
    return None if PRODUCTION else default


SECRET_KEY = env.text(
    "SECRET_KEY",
    _harmless("demo-and-test-only-" + "0" * 50),
    hint="Set it to a long random string, for example from `python -c "
    "'import secrets; print(secrets.token_urlsafe(50))'`.",
)
NATIONAL_ID_KEYS = env.words(
    "NATIONAL_ID_KEYS", "" if PRODUCTION else "bWlhbnl1ZS1kZW1vLWFuZC10ZXN0LWtleS0wMDAwMDA="
)
if not NATIONAL_ID_KEYS:
    env.complain(
        "NATIONAL_ID_KEYS is not set. Give Fernet keys, the newest first, separated by commas."
    )
for _number, _key in enumerate(NATIONAL_ID_KEYS, start=1):
    try:
        Fernet(_key)
    except ValueError:
        env.complain(
            f"NATIONAL_ID_KEYS: number {_number} is not a Fernet key. Make one with `python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`."
        )
NATIONAL_ID_HASH_KEY = env.text(
    "NATIONAL_ID_HASH_KEY",
    _harmless("demo-and-test-only-hash-key"),
    hint="Set it to a long random string and never change it: national IDs are found by it.",
)

_public = env.url(
    "PUBLIC_URL",
    _harmless("http://127.0.0.1:8000"),
    schemes=["https"] if PRODUCTION else ["https", "http"],
    hint="It is the address people see, for example https://interviews.example.com.",
)
PUBLIC_URL = _public.geturl()
if PUBLIC_URL and not _public.hostname:
    env.complain("PUBLIC_URL names no host.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", _public.hostname or "")
if not PRODUCTION:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "testserver"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if _public.scheme == "https" else []

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "analytics.alerts",
    "analytics.bi",
    "analytics.findings",
    "analytics.risk",
    "analytics",
    "cancellations",
    "interviews",
    "candidates",
    "accounts",
    "notifications",
    "config",
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "anymail",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.dingtalk",
    "allauth.socialaccount.providers.feishu",
    "axes",
    "csp",
    "django_htmx",
    "django_fsm",
    "django_celery_beat",
    "drf_spectacular",
    "import_export",
    "pgtrigger",
    "rest_framework",
    "rest_framework.authtoken",
]

MIDDLEWARE = [
    "config.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInRequired",
    "accounts.middleware.SecondStepRequired",
    "accounts.middleware.PersonalSettings",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.NamesWhoChanges",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "config.forms.Renderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "config.context.product",
                "config.context.desk",
            ],
            "builtins": ["config.templatetags.icons"],
        },
    },
]

# --- Data ---------------------------------------------------------------------------------------
_database = env.url(
    "DATABASE_URL",
    _harmless("postgresql://"),
    schemes=["postgresql", "postgres"],
    hint="For example postgresql://user:password@host/name.",
)
_query = dict(parse_qsl(_database.query))  # sslmode=verify-full and its like
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_database.path.lstrip("/")) or "mianyue",
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _query.pop("host", unquote(_database.hostname or "")),
        "PORT": str(_database.port or ""),
        # A pool per process; tests open and drop whole databases, where a pool is in the way.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3, **_query}
        if TEST
        else {
            **_query,
            "server_side_binding": True,
            "prepare_threshold": 3,
            "pool": {
                "min_size": 1,
                "max_size": env.number("DATABASE_POOL", 8, minimum=1),
                "timeout": 5,  # seconds a request waits for a connection
            },
        },
        "TEST": {"NAME": "test_mianyue"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_valkey = env.url(
    "REDIS_URL",
    _harmless("redis://127.0.0.1:6379"),
    schemes=["redis", "rediss", "unix"],
    hint="For example redis://:password@host:6379.",
)
_unix = _valkey.scheme == "unix"


def _redis(db: int) -> str:
    """REDIS_URL, for one of its databases whichever it names itself."""
    query = {name: value for name, value in parse_qsl(_valkey.query) if name != "db"}
    if _unix:
        return f"unix://{_valkey.netloc}{_valkey.path}?{urlencode({**query, 'db': db})}"
    if _valkey.scheme == "rediss":
        query.setdefault("ssl_cert_reqs", "required")  # Celery would check no certificate
    return _valkey._replace(path=f"/{db}", query=urlencode(query)).geturl()


REDIS_URL = _redis(0)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis(1),
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
SESSION_ENGINE = "accounts.sessions"

CELERY_BROKER_URL = (
    f"redis+socket://{_valkey.netloc}{_valkey.path}?virtual_host=0" if _unix else REDIS_URL
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,  # longer than the second that a worker's wait for work takes
    "socket_connect_timeout": 2,
    "visibility_timeout": 600,
    # Who publishes tries once; a worker looks for its broker again for as long as it takes.
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The outbox row is what counts and the sweep finds it; a request never waits for the broker.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
# Long work has a queue and a worker of its own, so that no sign-in code waits behind it.
CELERY_TASK_ROUTES = {
    "interviews.tasks.work_on_job": {"queue": "jobs"},
    "interviews.tasks.reconcile_platform": {"queue": "jobs"},
    "cancellations.tasks.check_consistency": {"queue": "jobs"},
    "analytics.tasks.check_cells": {"queue": "jobs"},
    "analytics.tasks.send_weekly_summary": {"queue": "jobs"},
    "analytics.risk.tasks.train": {"queue": "jobs"},
    "analytics.risk.tasks.look_ahead": {"queue": "jobs"},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    # One that no worker took up in time is dropped: the next one does the same. (The scheduler of
    # django-celery-beat knows no "expires".)
    name: {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "options": {"expire_seconds": seconds},
    }
    for name, task, seconds in (
        ("sweep-outbox", "notifications.tasks.sweep", 20),
        ("recount-cells", "analytics.tasks.recount", 2),
        ("check-alerts", "analytics.alerts.tasks.check_alerts", 20),
        ("check-cells", "analytics.tasks.check_cells", 24 * 3600),
        ("send-weekly-summary", "analytics.tasks.send_weekly_summary", 3600),
        ("apply-policy-defaults", "cancellations.tasks.apply_defaults", 30),
        ("settle-savings", "cancellations.tasks.settle_savings", 3600),
        ("expire-marks", "cancellations.tasks.expire_marks", 3600),
        ("lift-unfair-marks", "cancellations.tasks.lift_unfair_marks", 300),
        ("check-consistency", "cancellations.tasks.check_consistency", 24 * 3600),
        ("deliver-webhooks", "notifications.tasks.deliver_webhooks", 20),
        ("forget-deliveries", "notifications.tasks.forget_deliveries", 3600),
        ("take-work-steps", "notifications.tasks.take_work_steps", 30),
        ("go-on-with-jobs", "interviews.tasks.go_on_with_jobs", 30),
        ("forget-old-reports", "interviews.tasks.forget_old_reports", 6 * 3600),
        ("seal-history", "interviews.tasks.seal_history", 3600),
        ("take-steps", "interviews.tasks.take_steps", 30),
        ("lapse-sittings", "interviews.tasks.lapse_sittings", 60),
        ("refill-places", "interviews.tasks.refill_places", 60),
        ("remind-of-documents", "interviews.tasks.remind_of_documents", 24 * 3600),
        ("make-slots", "interviews.tasks.make_slots", 6 * 3600),
        ("tell-platforms", "interviews.tasks.tell_platforms", 20),
        ("reconcile-platforms", "interviews.tasks.reconcile_platforms", 3600),
        ("forget-platform-logs", "interviews.tasks.forget_platform_logs", 6 * 3600),
        ("train-risk", "analytics.risk.tasks.train", 24 * 3600),
        ("look-ahead", "analytics.risk.tasks.look_ahead", 3600),
        ("heartbeat", "notifications.tasks.heartbeat", 15),
        ("forget-answers", "accounts.tasks.forget_answers", 3600),
    )
}

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.IdentifierBackend",
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests sign in thousands of times
    if TEST
    else ["accounts.hashers.Hasher"]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
PASSWORD_RESET_TIMEOUT = 3600
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
# Of allauth we use two-step sign-in and the protocols of other providers; its pages are not mounted
# (docs/adr/0004-sign-in.md).
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "accounts.two_step.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # finger, face or PIN: a passkey can be both steps
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODE_DIGITS = 8
# "required": who has none is led to set one up, and reaches nothing else of the desk.
STAFF_SECOND_STEP = env.choice("STAFF_SECOND_STEP", ["optional", "required"], "optional")
PROVIDER_TIMEOUT = env.number("PROVIDER_TIMEOUT", 10, minimum=1)  # seconds, for every provider call
SOCIALACCOUNT_ADAPTER = "accounts.elsewhere.Adapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = PROVIDER_TIMEOUT
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme or "https"


def _app(prefix: str, /, **more: object) -> list[dict[str, object]]:
    """What a provider knows us by; nothing where it is not to be used."""
    client_id, secret = env.text(f"{prefix}_CLIENT_ID", ""), env.text(f"{prefix}_CLIENT_SECRET", "")
    if bool(client_id) != bool(secret):
        env.complain(f"{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET belong together.")
    return [{"client_id": client_id, "secret": secret, **more}] if client_id and secret else []


# The company's own provider (OpenID Connect): the address its /.well-known/ stands under.
_oidc_server = env.url(
    "OIDC_SERVER_URL", "", schemes=["https"] if PRODUCTION else ["https", "http"]
)
_oidc = _app(
    "OIDC",
    provider_id="oidc",
    name=env.text("OIDC_NAME", "Single sign-on"),
    settings={
        "server_url": _oidc_server.geturl().rstrip("/"),
        # For a provider that is sure of its addresses without saying so of each.
        "verified_email": env.flag("OIDC_EMAIL_VERIFIED", False),
    },
)
if bool(_oidc_server.hostname) != bool(_oidc):
    env.complain("OIDC_SERVER_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together.")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "accounts.elsewhere.Company",
        "OAUTH_PKCE_ENABLED": True,
        "APPS": _oidc,
    },
    "dingtalk": {
        "provider_class": "accounts.elsewhere.DingTalk",
        "AUTH_PARAMS": {"prompt": "consent"},
        "APPS": _app("DINGTALK"),
    },
    "feishu": {"provider_class": "accounts.elsewhere.Feishu", "APPS": _app("FEISHU")},
}
# Our own limits (accounts/throttling.py) say how long to wait. Behind them stands django-axes: it
# sees every password tried, whoever asks, and stops who comes back patiently. It counts in the
# cache by keyed hashes, so no number anybody typed is stored.
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_USERNAME_CALLABLE = "accounts.throttling.axes_account"
AXES_CLIENT_IP_CALLABLE = "accounts.throttling.client_address"
AXES_FAILURE_LIMIT = 30
AXES_COOLOFF_TIME = timedelta(hours=12)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False

# --- Words and times ----------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None  # else served as they lie there
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = TEST  # else each of the thousand test clients looks through every file

# --- Security -----------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    if env.flag("BEHIND_PROXY", True):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand in front: the address counted against sign-in attempts is the one
# the outermost of them saw. 0: the address of the connection itself.
PROXY_COUNT = env.number("PROXY_COUNT", 1 if PRODUCTION else 0)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],  # what a candidate has just recorded
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.TokenAuthentication",
        "accounts.tokens.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "accounts.tokens.CallerRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.text("API_RATE_ANONYMOUS", "60/min"),
        "user": env.text("API_RATE_USER", "600/min"),
    },
    "NUM_PROXIES": PROXY_COUNT,
    "EXCEPTION_HANDLER": "config.problems.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mianyue API",
    "DESCRIPTION": "Interviews, what the rule says of cancelling them, cancellations, receipts and"
    " figures.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # the wording of choices is translated
    "ENUM_NAME_OVERRIDES": {
        "InterviewStatus": "interviews.states.InterviewStatus",
        "InterviewKind": "interviews.models.InterviewKind",
        "CancellationStatus": "cancellations.models.CancellationStatus",
        "Purpose": "cancellations.models.Purpose",
        "Party": "cancellations.models.Party",
        "Outcome": "cancellations.rules.Outcome",
        "OfferState": "interviews.refill.models.OfferState",
        "StateEnum": "interviews.models.JobState",
        "ExitOutcome": "cancellations.models.EXIT_OUTCOMES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.problems.document",
    ],
}

# --- Messages -----------------------------------------------------------------------------------
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN", "")
TWILIO_FROM = env.text("TWILIO_FROM", "")
TWILIO_API_BASE = env.text("TWILIO_API_BASE", "")  # empty: Twilio's own address
# Ours=theirs, for example "cancellation_done/sms.zh-hans=HX0123": where texts must be registered.
TWILIO_TEMPLATES = env.pairs("TWILIO_TEMPLATES")
# How long a worker has a message to itself; a message in hand when a worker dies waits that long.
DELIVERY_LEASE = timedelta(
    seconds=env.number("DELIVERY_LEASE", 6 * PROVIDER_TIMEOUT, minimum=2 * PROVIDER_TIMEOUT)
)
# Webhooks: what their addresses may be, and how long one may fail before it is switched off.
WEBHOOK_ALLOW_HTTP = env.flag("WEBHOOK_ALLOW_HTTP", DEMO)
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE", False)
WEBHOOK_OFF_AFTER = timedelta(days=env.number("WEBHOOK_OFF_AFTER", 3, minimum=1))
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_smtp = env.url("SMTP_URL", "smtp://127.0.0.1:25", schemes=["smtp", "smtp+tls", "smtps"])
EMAIL_HOST = _smtp.hostname or "127.0.0.1"
EMAIL_PORT = _smtp.port or {"smtps": 465, "smtp+tls": 587}.get(_smtp.scheme, 25)
EMAIL_HOST_USER = unquote(_smtp.username or "")
EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
EMAIL_USE_SSL = _smtp.scheme == "smtps"
EMAIL_USE_TLS = _smtp.scheme == "smtp+tls"
EMAIL_TIMEOUT = PROVIDER_TIMEOUT
# A mail provider instead of SMTP, by the name Anymail has for it: "postmark", "sendgrid" … Its own
# settings, such as POSTMARK_SERVER_TOKEN=…, stand in ANYMAIL_SETTINGS.
ANYMAIL_PROVIDER = env.text("ANYMAIL_PROVIDER", "")
ANYMAIL = {
    **env.pairs("ANYMAIL_SETTINGS"),
    "REQUESTS_TIMEOUT": PROVIDER_TIMEOUT,
    "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
    "IGNORE_UNSUPPORTED_FEATURES": True,  # such as naming our message in what is reported
}
_mail_secret = env.text("ANYMAIL_WEBHOOK_SECRET", "")
if _mail_secret:
    ANYMAIL["WEBHOOK_SECRET"] = _mail_secret
if ANYMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{ANYMAIL_PROVIDER}.EmailBackend"
    if PRODUCTION and ":" not in _mail_secret:
        env.complain(
            "ANYMAIL_WEBHOOK_SECRET has to be name:password, as the provider's webhook sends them."
        )
# Push messages to browsers; a key by `vapid --gen`, its private part as one line.
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY", "")
# Local to the reader; what can wait is held back from the first to the second.
QUIET_HOURS = env.hours("QUIET_HOURS", "21:00-08:00")
# Of what people may do without, on each channel.
OPTIONAL_MESSAGES_A_DAY = env.number("OPTIONAL_MESSAGES_A_DAY", 3, minimum=1)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", "Mianyue <no-reply@mianyue.example>")
# Where `make run` has a platform for AI interviews listen, for the demo to hold some of its own on.
DEMO_PLATFORM_URL = env.text("DEMO_PLATFORM_URL", "") if DEMO else ""
# Demo mode never sends: the messages are shown on /demo/messages/ instead.
MESSAGES_STAY_HERE = DEMO

# --- What the pages promise ---------------------------------------------------------------------
HOTLINE = env.text("HOTLINE", _harmless("400-000-0000"), hint="The number candidates call.")
HELP_MAILBOX = env.text(
    "HELP_MAILBOX", _harmless("interviews@mianyue.example"), hint="Where candidates write to."
)
PRODUCT_NAME = _("Mianyue")

# --- Administration -----------------------------------------------------------------------------
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
METRICS_TOKEN = env.text("METRICS_TOKEN", "")  # without one, production shows no /metrics
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR", "")  # needed by several workers

LOGGING = logs.configuration(env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO"))

env.finish()
