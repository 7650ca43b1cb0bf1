"""All settings. Secrets and addresses come from the environment or `.env`, and the policy from `config.yaml`.

Without DATABASE_URL all services are embedded under VAR_DIR: SQLite, a file-based broker and MLflow on SQLite.
With DATABASE_URL the site is a production installation, and secrets have no defaults.
"""

import re
from pathlib import Path

from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured

from catalog.sign_in import settings as accounts
from movierec import environment as env
from movierec import logs
from movierec.addresses import celery_broker, redis_database
from movierec.policy import PolicyError, load_policy
from movierec.redaction import never_show

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(env.text("ENV_FILE", str(BASE_DIR / ".env")))

VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var").resolve()
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.redis("REDIS_URL")
EMBEDDED = not DATABASE_URL

_version = re.search(r"^## (\S+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
VERSION = _version.group(1) if _version else "unknown"

try:
    POLICY = load_policy(env.path("CONFIG_FILE", BASE_DIR / "config.yaml"))
except PolicyError as error:
    raise ImproperlyConfigured(str(error)) from None

SECRET_KEY = never_show(env.secret("SECRET_KEY", VAR_DIR, has_default=EMBEDDED))
SECRET_KEY_FALLBACKS = [never_show(key) for key in env.names("SECRET_KEY_FALLBACKS")]
PORT = env.number("PORT", 8000, at_least=1, at_most=65535)  # used by `make run`
# A second port for health and metrics only. deploy/gunicorn.py listens on it too.
HEALTH_PORT = env.number("HEALTH_PORT", PORT + 1000 if PORT < 64536 else PORT - 1000, at_least=1, at_most=65535)
PROBES = ("/healthz", "/readyz", "/metrics")
DEBUG = env.flag("DEBUG")
BASE_PATH = FORCE_SCRIPT_NAME = env.text("BASE_PATH", pattern=r"(/[\w.~-]+)*", expected="a path such as /movies")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")

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
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    *accounts.APPS,
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_celery_beat",
    "django_countries",
    "django_prometheus",
    "csp",
]

MIDDLEWARE = [
    "movierec.logs.request_ids",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "movierec.ops.probes",
    "movierec.delivery.deliver",
    "movierec.api.error_shape",
    "movierec.logs.access_line",
    "movierec.headers.permissions_policy",
    "movierec.direct.Direct",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "movierec.headers.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "movierec.languages.ReadersLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    accounts.MIDDLEWARE,
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "catalog.views.pages.sign_in_as_page",
    "catalog.views.pages.MissingRows",
    "movierec.members.MembersOnly",
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
                "catalog.site_settings.in_templates",
            ],
        },
    },
]
DATABASES = {"default": env.sqlite(VAR_DIR / "db.sqlite3") if EMBEDDED else env.postgres("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker and request counter -----------------------------------------------------------------------------------

REDIS_PREFIX = env.text("REDIS_PREFIX", "movierec")
COUNTER_URL = REDIS_URL and env.redis("CACHE_URL", redis_database(REDIS_URL, 1))

if REDIS_URL:
    CELERY_BROKER_URL = celery_broker(REDIS_URL)
    CELERY_IMPORTS = ["movierec.redis_broker"]
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "global_keyprefix": f"{REDIS_PREFIX}:",
        # Longer than any task's time limit, so that Redis does not deliver a running task to a second worker.
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
        **dict.fromkeys(("data_folder_in", "data_folder_out"), str(VAR_DIR / "broker" / "messages")),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
    for folder in ("messages", "control"):
        (VAR_DIR / "broker" / folder).mkdir(parents=True, exist_ok=True)

CELERY_TASK_IGNORE_RESULT = True  # results are in our own tables; a dead result backend must not block requests
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
CELERY_BEAT_SCHEDULER = "mlops.scheduler:Scheduler"
CELERY_BEAT_SYNC_EVERY = 1  # save after each sent task, so that a killed Beat does not send it again
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
WORKER_NICE = env.number("WORKER_NICE", 0, at_most=19)
WEB_WORKERS = env.number("WEB_WORKERS", 2, at_least=1, at_most=1000)  # used by deploy/gunicorn.py, validated here
WEB_THREADS = env.number("WEB_THREADS", 4, at_least=1, at_most=1000)
CODE_REVISION = env.text("CODE_REVISION")

# --- Machine learning ---------------------------------------------------------------------------------------------

MODEL_DIR = env.path("MODEL_DIR", VAR_DIR / "models")
SNAPSHOT_DIR = env.path("SNAPSHOT_DIR", VAR_DIR / "snapshots")
BACKUP_KEY = env.age_key("BACKUP_KEY")
BACKUP_KEY_FILE = env.text("BACKUP_KEY_FILE")
DVC_REMOTE_URL = env.text("DVC_REMOTE_URL")
DVC_DIR = env.path("DVC_DIR", BASE_DIR)  # the DVC project, which contains MODEL_DIR and SNAPSHOT_DIR
MODEL_STORE = env.store("MODEL_STORE")
MLFLOW_TRACKING_URI = env.mlflow("MLFLOW_TRACKING_URI", f"sqlite:///{VAR_DIR / 'mlflow' / 'mlflow.db'}")
MLFLOW_MODEL_NAME = env.text("MLFLOW_MODEL_NAME", "movierec", pattern=r"[\w-]+", expected="letters, digits, _ and -")
MLFLOW_ARTIFACT_DIR = VAR_DIR / "mlflow" / "artifacts"  # only for an sqlite:/// store; a server has its own
MOVIELENS_PATH = env.text("MOVIELENS_PATH")
MOVIELENS_URL = env.url("MOVIELENS_URL", "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip")
TMDB_READ_TOKEN, TRAKT_CLIENT_ID = (never_show(env.token(name)) for name in ("TMDB_READ_TOKEN", "TRAKT_CLIENT_ID"))
TMDB_API_URL = env.url("TMDB_API_URL", "https://api.themoviedb.org/3")
TMDB_LOGO_URL = env.text("TMDB_LOGO_URL", pattern=r"(https://[\w.-]+(:\d+)?/[\w./~%-]*)?", expected="https://host/path")
WIKIDATA_API_URL = env.url("WIKIDATA_API_URL", "https://www.wikidata.org/w/api.php")
WIKIDATA_QUERY_URL = env.url("WIKIDATA_QUERY_URL", "https://query.wikidata.org/sparql")
WIKIPEDIA_API_URL = env.url("WIKIPEDIA_API_URL", "https://LANGUAGE.wikipedia.org/w/api.php")
COMMONS_API_URL = env.url("COMMONS_API_URL", "https://commons.wikimedia.org/w/api.php")
WIKIDATA_CONTACT = env.text("WIKIDATA_CONTACT", pattern=r"[ -~]{0,200}", expected="an email or web address")
STAFF_LINKS = {"MLflow": env.url("MLFLOW_PAGE"), "Flower": env.url("FLOWER_PAGE"), "Grafana": env.url("GRAFANA_PAGE")}
TMDB_METADATA_IN_TRAINING = env.flag("TMDB_METADATA_IN_TRAINING")
METRICS_TOKEN = never_show(env.secret("METRICS_TOKEN", VAR_DIR, has_default=EMBEDDED))
_flower = env.text("FLOWER_BASIC_AUTH", pattern=r"(.+:.+)?", expected="user:password", is_secret=True)
FLOWER_BASIC_AUTH = never_show(_flower)

# --- API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.api.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["movierec.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "movierec.api.Pagination",
    "DEFAULT_SCHEMA_CLASS": "movierec.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [f"catalog.throttling.{who}Throttle" for who in ("Anon", "User", "Scoped")],
    "DEFAULT_THROTTLE_RATES": {"anon": POLICY.limits.anonymous} | POLICY.limits.model_dump(),  # by scope
    "NUM_PROXIES": env.number("NUM_PROXIES", 0, at_most=10),
    "EXCEPTION_HANDLER": "movierec.api.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Movierec API",
    "DESCRIPTION": "Movies, ratings and recommendations; models and their runs for staff.",
    "VERSION": VERSION,
    "SERVERS": [{"url": BASE_PATH}] if BASE_PATH else [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": False},  # it would add a link to each operation's button
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "PATH_CONVERTER_OVERRIDES": {"id": int},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,  # openapi-generator generates broken code for an enum of null
    "GET_LIB_DOC_EXCLUDES": "movierec.openapi.inherited_docs_left_out",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "movierec.openapi.describe_errors",
        "movierec.openapi.add_links",
    ],
}

# --- Security -----------------------------------------------------------------------------------------------------

vars().update(accounts.account_settings())
_secret = never_show(env.token("OIDC_CLIENT_SECRET"))
OIDC = accounts.identity_provider(env.text("OIDC_ISSUER"), env.text("OIDC_CLIENT_ID"), _secret, env.text("OIDC_NAME"))
PASSWORD_SIGN_IN = accounts.password_sign_in(env.flag("PASSWORD_SIGN_IN", default=True), OIDC)
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = f"{BASE_PATH}/"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],  # `movierec.headers` adds other sites on some pages
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
HTTPS = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = env.flag("HTTPS")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# W005 and W021 require HSTS for subdomains and preloading, which only the owner of the whole domain can decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

FILE_UPLOAD_HANDLERS = [
    "catalog.imports.upload.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Files, language, mail, logs ----------------------------------------------------------------------------------

STATIC_URL = f"{BASE_PATH}/static/"
STATIC_ROOT = env.path("STATIC_ROOT", VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "movierec.static_files.StaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
TIME_ZONE = CELERY_TIMEZONE = "UTC"
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
SITE_LANGUAGE = env.text("LANGUAGE_CODE", pattern="(en|vi)?", expected="en or vi")
LANGUAGE_CODE = SITE_LANGUAGE or "en"
LOCALE_PATHS, FORMAT_MODULE_PATH = [BASE_DIR / "locale"], "movierec.formats"
PROMETHEUS_EXPORT_MIGRATIONS = False

vars().update(env.mail("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "movierec@localhost")
SITE_NAME = env.text("SITE_NAME", pattern=r".{0,40}", expected="at most 40 characters")
SITE_REGION = env.region("SITE_REGION")
ALERT_EMAILS = env.names("ALERT_EMAILS")
ALERT_WEBHOOK_URL = never_show(env.url("ALERT_WEBHOOK_URL"))

LEVELS = "DEBUG|INFO|WARNING|ERROR|CRITICAL"
LOG_LEVEL = env.text("LOG_LEVEL", "INFO", pattern=LEVELS, expected=f"one of {LEVELS}")
LOG_FORMAT = env.text("LOG_FORMAT", "text", pattern="text|json", expected="text or json")
# The collector of traces. OpenTelemetry reads this variable and its other ones itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT")
TRACING = bool(OTEL_EXPORTER_OTLP_ENDPOINT) and not env.flag("OTEL_SDK_DISABLED")
LOGGING = logs.configure(form=LOG_FORMAT, level=LOG_LEVEL, ids=["movierec.tracing.ids_of_span"] if TRACING else [])
