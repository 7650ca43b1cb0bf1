"""All settings. Secrets and addresses come from the environment or `.env`, policy from `config.yaml`.

Without DATABASE_URL everything is embedded: SQLite, a broker of files, MLflow on SQLite, all under VAR_DIR.
With DATABASE_URL set it is a real installation and secrets have no default.
"""

import contextlib
import re
import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured

from movierec.policy import PolicyError, load_policy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env("ENV_FILE", default=str(BASE_DIR / ".env")))


def _flag(name: str) -> bool:
    value = str(env(name, default="")).strip().lower()
    if value not in ("", "0", "1", "false", "true", "no", "yes", "off", "on"):
        raise ImproperlyConfigured(f"{name}: expected true or false, got {value!r}")
    return value in ("1", "true", "yes", "on")


def _number(name: str, default: int, *, at_most: int) -> int:
    value = str(env(name, default="")).strip() or str(default)
    if not value.isascii() or not value.isdigit() or int(value) > at_most:
        raise ImproperlyConfigured(f"{name}: expected a whole number from 0 to {at_most}, got {value!r}")
    return int(value)


VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DATABASE_URL = env("DATABASE_URL", default="")
REDIS_URL = env("REDIS_URL", default="")
EMBEDDED = not DATABASE_URL

_version = re.search(r"^## (\S+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
VERSION = _version.group(1) if _version else "unknown"

try:
    POLICY = load_policy(Path(env("CONFIG_FILE", default=str(BASE_DIR / "config.yaml"))))
except PolicyError as error:
    raise ImproperlyConfigured(str(error)) from None


def _secret(name: str) -> str:
    """A secret of the environment; the embedded site makes one once and keeps it for its user alone."""
    if value := env(name, default=""):
        return str(value)
    if not EMBEDDED:
        raise ImproperlyConfigured(f"{name} is not set: with DATABASE_URL set it has no default (see .env.example)")
    path = VAR_DIR / name.lower()
    if not path.exists():
        # Written under another name first: two processes that start together must read the same whole secret.
        part = VAR_DIR / f"{name.lower()}.{secrets.token_hex(4)}.part"
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    return path.read_text(encoding="utf-8")


def _token(name: str) -> str:
    """Something that can be sent as a header; else the HTTP client's own error would show it."""
    value = str(env(name, default="")).strip()
    if not re.fullmatch(r"[!-~]*", value):
        raise ImproperlyConfigured(f"{name}: expected a token without spaces, line breaks and accented letters")
    return value


def _https(name: str) -> str:
    value = str(env(name, default="")).strip()
    if value and not re.fullmatch(r"https://[\w.-]+(:\d+)?/[\w./~%-]*", value):
        raise ImproperlyConfigured(f"{name}: expected an address as https://host/path, got {value!r}")
    return value


SECRET_KEY = _secret("SECRET_KEY")
PORT = _number("PORT", 8000, at_most=65535)  # of `make run`, on 127.0.0.1
DEBUG = _flag("DEBUG")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "movierec",
    "catalog",
    "recommender",
    "mlops",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_celery_beat",
    "django_prometheus",
    "csp",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "movierec.urls"
WSGI_APPLICATION = "movierec.wsgi.application"
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
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    if EMBEDDED:
        return {
            "ENGINE": "django_prometheus.db.backends.sqlite3",
            "NAME": str(VAR_DIR / "db.sqlite3"),
            "OPTIONS": {
                # IMMEDIATE: a deferred transaction that turns into a writer fails at once with "database is locked".
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-64000;",
            },
        }
    database = env.db_url("DATABASE_URL")
    if "postgres" not in database["ENGINE"]:
        raise ImproperlyConfigured("DATABASE_URL: expected postgres://user:password@host:port/name")
    return database | {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "catalog.User"

# --- Cache and broker ---------------------------------------------------------------------------------------------

REDIS_PREFIX = env("REDIS_PREFIX", default="movierec")
CACHES = {
    "default": (
        {
            "BACKEND": "movierec.caches.redis.ForgivingRedisCache",
            "LOCATION": env("CACHE_URL", default=re.sub(r"(/\d*)?$", "/1", REDIS_URL, count=1)),
            "KEY_PREFIX": REDIS_PREFIX,
        }
        if REDIS_URL
        else {
            "BACKEND": "movierec.caches.files.CalmFileCache",
            "LOCATION": str(VAR_DIR / "cache"),
        }
    )
}

if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "global_keyprefix": f"{REDIS_PREFIX}:",
        # Longer than any task's time limit, or Redis would hand a running task to a second worker.
        "visibility_timeout": 7200,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
    }
else:
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT = "movierec.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker" / "messages"),
        "data_folder_out": str(VAR_DIR / "broker" / "messages"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
    for folder in ("messages", "control"):
        (VAR_DIR / "broker" / folder).mkdir(parents=True, exist_ok=True)

CELERY_TASK_IGNORE_RESULT = True  # no result backend: truth is in our own rows, and a dead one must not block a request
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 7000
CELERY_TASK_SOFT_TIME_LIMIT = 6900
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
WORKER_NICE = env.int("WORKER_NICE", default=0)

# --- Machine learning ---------------------------------------------------------------------------------------------

MODEL_DIR = Path(env("MODEL_DIR", default=str(VAR_DIR / "models")))
SNAPSHOT_DIR = Path(env("SNAPSHOT_DIR", default=str(VAR_DIR / "snapshots")))
DVC_REMOTE_URL = env("DVC_REMOTE_URL", default="")
DVC_DIR = Path(env("DVC_DIR", default=str(BASE_DIR)))  # DVC's project; MODEL_DIR and SNAPSHOT_DIR are below it
MLFLOW_TRACKING_URI = env("MLFLOW_TRACKING_URI", default=f"sqlite:///{VAR_DIR / 'mlflow' / 'mlflow.db'}")
MLFLOW_ARTIFACT_DIR = VAR_DIR / "mlflow" / "artifacts"  # used with an sqlite:/// store only; a server has its own
MOVIELENS_PATH = env("MOVIELENS_PATH", default="")
MOVIELENS_URL = env("MOVIELENS_URL", default="https://files.grouplens.org/datasets/movielens/ml-latest-small.zip")
TMDB_READ_TOKEN = _token("TMDB_READ_TOKEN")
TMDB_API_URL = env("TMDB_API_URL", default="https://api.themoviedb.org/3")
TMDB_LOGO_URL = _https("TMDB_LOGO_URL")
TMDB_METADATA_IN_TRAINING = _flag("TMDB_METADATA_IN_TRAINING")
METRICS_TOKEN = _secret("METRICS_TOKEN")
FLOWER_BASIC_AUTH = env("FLOWER_BASIC_AUTH", default="")

# --- API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "movierec.api.Pagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": POLICY.limits.anonymous} | POLICY.limits.model_dump(),  # by scope
    "NUM_PROXIES": _number("NUM_PROXIES", 0, at_most=10),
    "EXCEPTION_HANDLER": "movierec.api.exception_handler",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Movierec API",
    "DESCRIPTION": "Movies, ratings and recommendations; models and their runs for staff.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "movierec.api.describe_errors"],
}

# --- Security -----------------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "catalog:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [
            SELF,
            "data:",
            *(["https://image.tmdb.org"] if TMDB_READ_TOKEN else []),
            *([TMDB_LOGO_URL] if TMDB_READ_TOKEN and TMDB_LOGO_URL else []),
        ],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
HTTPS = _flag("HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

FILE_UPLOAD_HANDLERS = [
    "catalog.imports.upload.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Files, language, mail, logs ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]
PROMETHEUS_EXPORT_MIGRATIONS = False

try:
    vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
except ImproperlyConfigured as error:
    raise ImproperlyConfigured(f"EMAIL_URL: expected smtp+tls://user:password@host:port ({error})") from None
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="movierec@localhost")
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "alembic": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # else a line for each request
        "mlflow": {"level": "WARNING"},
        "django.server": {"handlers": [], "propagate": True},
    },
}
