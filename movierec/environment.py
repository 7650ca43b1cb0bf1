"""Environment variables, with `.env` as a fallback. A bad value refuses to start and names the variable."""

import contextlib
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from mlops.policy import S3_ADDRESS

env = environ.Env()
# A password may hold any sign, written as it is or in percents: it ends at the last @.
_ADDRESS = re.compile(
    r"(?P<scheme>[\w+]+)://(?:(?P<user>[^:/?#@]*)(?::(?P<password>.*))?@)?(?P<host>[^/?#@]*)(?P<rest>[/?#][^@]*)?"
)
# For libpq, whose own limits are hours: a database's host that is gone is noticed within a minute.
LOST_HOST = {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def read_file(path: str) -> None:
    """Adds the variables of a .env file to the environment, which wins over the file."""
    environ.Env.read_env(path)


def text(name: str, default: str = "", *, pattern: str = r".*", expected: str = "", is_secret: bool = False) -> str:
    """The variable, or `default` where it is unset or blank; a bad secret is not shown."""
    value = str(env(name, default="")).strip() or default
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name}: expected {expected}" + ("" if is_secret else f", got {value!r}"))
    return value


def age_key(name: str) -> str:
    return text(name, pattern=r"((age1|AGE-SECRET-KEY-1)[0-9A-Za-z]+)?", expected="a key of age", is_secret=True)


def store(name: str) -> str:
    return text(name, pattern=rf"{S3_ADDRESS}|(?!s3:).*", expected="a folder or s3://bucket/prefix", is_secret=True)


def token(name: str) -> str:
    """A secret that can be sent in a header; otherwise the HTTP client's own error would show it."""
    return text(name, pattern=r"[!-~]*", expected="a token without spaces, line breaks and accents", is_secret=True)


def url(name: str, default: str = "", *, scheme: str = "https?", expected: str = "http://host/path") -> str:
    """An address with its user and password quoted, or an empty string where it is blank.

    As it may hold a password, an error does not show it but names the part that is wrong.
    """
    value = env(name, default=default) and text(name, default)
    if not value:
        return ""
    found = _ADDRESS.fullmatch(value)
    if not found or not re.fullmatch(scheme, found["scheme"]) or not (found["host"] or found["rest"]):
        raise ImproperlyConfigured(f"{name}: expected an address as {expected}")
    user, password = (
        None if part is None else quote(unquote(part), safe="") for part in found.group("user", "password")
    )
    before = "" if user is None else f"{user}@" if password is None else f"{user}:{password}@"
    quoted = f"{found['scheme']}://{before}{found['host']}{found['rest'] or ''}"
    try:
        if urlsplit(quoted).port == 0:
            raise ValueError
    except ValueError:
        problem = f"its host and port {found['host']!r} are not as in host:1234"
        raise ImproperlyConfigured(f"{name}: expected {expected}; {problem}") from None
    return quoted


def redis_database(address: str, number: int) -> str:
    """The same Redis' database of that number; a socket's stands in the query."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return parts._replace(path=f"/{number}").geturl()
    return parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | {"db": number})).geturl()


def celery_broker(address: str) -> str:
    """The address of a Redis as kombu spells it, which has another scheme for sockets."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return address
    query = dict(parse_qsl(parts.query))
    query = {"virtual_host": query.pop("db", "0"), **query}
    return parts._replace(scheme="redis+socket", query=urlencode(query)).geturl()


def flag(name: str) -> bool:
    return text(name, "false", pattern=rf"(?i){'|'.join(TRUE | FALSE)}", expected="true or false").lower() in TRUE


def number(name: str, default: int, *, at_least: int = 0, at_most: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not at_least <= int(value) <= at_most:
        raise ImproperlyConfigured(f"{name}: expected a whole number from {at_least} to {at_most}, got {value!r}")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """Parts between commas. A blank variable is an empty list, not the default."""
    return [part.strip() for part in str(env(name, default=default)).split(",") if part.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default)))


def secret(name: str, folder: Path, *, has_default: bool) -> str:
    """A secret. Where it has a default, that is generated once and kept in `folder`, readable by its owner only."""
    if value := text(name):
        return value
    if not has_default:
        raise ImproperlyConfigured(f"{name} is not set: with DATABASE_URL set it has no default (see .env.example)")
    file = folder / name.lower()
    if not file.exists():
        # Written under another name first: two processes that start together must read the same complete secret.
        part = folder / f"{name.lower()}.{secrets.token_hex(4)}.part"
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(part)
        part.unlink()
    return file.read_text(encoding="utf-8")


def sqlite(file: Path) -> dict[str, Any]:
    """Django's settings of the embedded database."""
    return {
        "ENGINE": "django_prometheus.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            # IMMEDIATE: a deferred transaction that turns into a writer fails at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-64000;",
        },
    }


def postgres(name: str) -> dict[str, Any]:
    """Django's settings of the database at an address. The host may be a folder of sockets, as `%2Frun%2Fpg`."""
    expected = "postgres://user:password@host:port/name"
    address = url(name, scheme="postgres|postgresql|psql|pgsql", expected=expected)
    found = environ.Env.db_url_config(address)
    if not found["NAME"]:
        raise ImproperlyConfigured(f"{name}: expected {expected}; it names no database")
    parts = urlsplit(address)
    found |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    if (host := unquote(parts.netloc.rpartition("@")[2])).startswith("/"):
        found |= {"HOST": host, "PORT": ""}
    return found | {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": LOST_HOST | found.get("OPTIONS", {}),
    }


def mail(name: str) -> dict[str, Any]:
    """Django's settings of the mail server at an address; without one, mails are written to the log."""
    try:
        return {"EMAIL_TIMEOUT": 10} | environ.Env.email_url_config(text(name, "consolemail://"))  # seconds
    except (ImproperlyConfigured, ValueError) as error:
        raise ImproperlyConfigured(f"{name}: expected smtp+tls://user:password@host:port ({error})") from None
