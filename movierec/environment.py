"""Reads environment variables, with `.env` as a fallback. An invalid value stops the start with an error message."""

import contextlib
import os
import re
import secrets
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django_countries.data import COUNTRIES

from catalog.site_settings import OWN_MAIL, SMTP
from mlops.policy import FOLDER_OR_BUCKET
from movierec.addresses import quoted, redis_number

_LINE = re.compile(r"\s*(#.*)?|(export )?\w+=.*", re.ASCII)
# Options for libpq, whose defaults are hours. With these, an unreachable host is noticed within a minute.
LOST_HOST = {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def read_file(path: str) -> None:
    """Add the variables of a .env file, if it exists, to the environment. Existing variables take precedence."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path}: expected a readable file in UTF-8 ({error})") from None
    if bad := [number for number, line in enumerate(lines, 1) if not _LINE.fullmatch(line)]:
        raise ImproperlyConfigured(f"{path}, line {bad[0]}: expected NAME=value without spaces before it or around =")
    environ.Env.read_env(StringIO("\n".join(line for line in lines if "=" in line)))


def text(name: str, default: str = "", *, pattern: str = r".*", expected: str = "", is_secret: bool = False) -> str:
    """Return the variable, or `default` if it is unset or blank. Error messages do not show the value of a secret."""
    value = os.environ.get(name, "").strip() or default  # environ.Env would read $a as a reference to another variable
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name}: expected {expected}" + ("" if is_secret else f", got {value!r}"))
    return value


def age_key(name: str) -> str:
    return text(name, pattern=r"((age1|AGE-SECRET-KEY-1)[0-9A-Za-z]+)?", expected="a key of age", is_secret=True)


def store(name: str) -> str:
    expected = "a folder, s3://bucket/prefix or mlflow://"
    return text(name, pattern=f"mlflow://|{FOLDER_OR_BUCKET}", expected=expected, is_secret=True)


def region(name: str) -> str:
    return text(name, pattern="|".join(["", *COUNTRIES]), expected="a country's code of ISO 3166-1, such as VN")


def token(name: str) -> str:
    """Return a secret that is valid in a header. The HTTP client would show an invalid one in its error message."""
    return text(name, pattern=r"[!-~]*", expected="a token without spaces, line breaks and accents", is_secret=True)


def url(name: str, default: str = "", *, scheme: str = "https?", expected: str = "http://host/path") -> str:
    """Return a URL with its user and password quoted, or "" if the variable is blank."""
    value = os.environ.get(name, default) and text(name, default)
    return value and quoted(value, name=name, scheme=scheme, expected=expected)


def redis(name: str, default: str = "") -> str:
    """Return the URL of a Redis, like `url`, and check its database number."""
    address = url(name, default, scheme="rediss?|unix", expected="redis://host:6379/0")
    expected = "unix:///folder/file?db=0" if address.startswith("unix") else "redis://host:6379/0"
    if not redis_number(address).isdecimal():
        raise ImproperlyConfigured(f"{name}: expected {expected}; the number of its database is not as there")
    return address


def mlflow(name: str, default: str) -> str:
    """Return the URL of an MLflow server or database. Errors do not show it, because it may contain a password."""
    kinds = r"https?|(sqlite|postgresql|mysql|mssql)(\+\w+)?"
    expected = "http://host:5000 or sqlite:////folder/mlflow.db"
    return text(name, default, pattern=rf"({kinds})://.+", expected=expected, is_secret=True)


def flag(name: str, *, default: bool = False) -> bool:
    return text(name, str(default), pattern=rf"(?i){'|'.join(TRUE | FALSE)}", expected="true or false").lower() in TRUE


def number(name: str, default: int, *, at_least: int = 0, at_most: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not at_least <= int(value) <= at_most:
        raise ImproperlyConfigured(f"{name}: expected a whole number from {at_least} to {at_most}, got {value!r}")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """Return the comma-separated parts. A blank variable gives an empty list, not the default."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default)))


def secret(name: str, folder: Path, *, has_default: bool) -> str:
    """Return a secret. If allowed, a default is generated once and stored in `folder`, readable only by its owner."""
    if value := text(name):
        return value
    if not has_default:
        raise ImproperlyConfigured(f"{name} is not set: with DATABASE_URL set it has no default (see .env.example)")
    file = folder / name.lower()
    if not file.exists():
        # Written to a temporary file first, so that processes that start at the same time read the same secret.
        part = folder / f"{name.lower()}.{secrets.token_hex(4)}.part"
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(part)
        part.unlink()
    return file.read_text(encoding="utf-8")


def sqlite(file: Path) -> dict[str, Any]:
    """Return Django's settings for the embedded database."""
    return {
        "ENGINE": "django_prometheus.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": 60,  # opening and configuring a connection takes longer than most queries
        "OPTIONS": {
            # a deferred transaction that starts to write would fail immediately with "database is locked"
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # This cache exists per connection and thread. The operating system's cache is shared.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-1000;",
        },
    }


def postgres(name: str) -> dict[str, Any]:
    """Return Django's settings for the database at a URL. The host may be a socket folder, such as `%2Frun%2Fpg`."""
    expected = "postgres://user:password@host:port/name"
    address = url(name, scheme="postgres|postgresql|psql|pgsql", expected=expected)
    found = environ.Env.db_url_config(address)
    if not found["NAME"]:
        raise ImproperlyConfigured(f"{name}: expected {expected}; it names no database")
    parts = urlsplit(address)
    found |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    if unquote(host).startswith("/"):
        found |= {"HOST": unquote(host), "PORT": port}
    return found | {
        "ENGINE": "movierec.postgres",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": LOST_HOST | found.get("OPTIONS", {}),
    }


def mail(name: str) -> dict[str, Any]:
    """Return Django's settings for the mail server at a URL. The default is the server configured by staff."""
    address = text(name)
    if not address:
        return {"EMAIL_BACKEND": OWN_MAIL, "EMAIL_TIMEOUT": 10}
    if not re.fullmatch("(console|memory|dummy)mail://", address):  # these have no host
        schemes = "|".join(map(re.escape, environ.Env.EMAIL_SCHEMES))
        address = url(name, scheme=schemes, expected="smtp+tls://user:password@host:port")
    found = {"EMAIL_TIMEOUT": 10} | environ.Env.email_url_config(address)  # seconds
    return found | ({"EMAIL_BACKEND": SMTP} if found["EMAIL_BACKEND"].endswith(".smtp.EmailBackend") else {})
