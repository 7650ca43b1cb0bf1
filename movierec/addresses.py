"""Parses service URLs entered by users and converts them to the forms that libraries expect."""

import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

# A password may contain any character, percent-encoded or not. It ends at the last @.
_ADDRESS = re.compile(
    r"(?P<scheme>[\w+]+)://(?:(?P<user>[^:/?#]*)(?::(?P<password>.*))?@)?(?P<host>[^/?#@]*)(?P<rest>[/?#][^@]*)?"
)


def quoted(address: str, *, name: str, scheme: str, expected: str) -> str:
    """Return the address with its user and password quoted.

    An error message names the invalid part. It does not show the address, which may contain a password.
    """
    found = _ADDRESS.fullmatch(address)
    if not found or not re.fullmatch(scheme, found["scheme"]) or not (found["host"] or found["rest"]):
        raise ImproperlyConfigured(f"{name}: expected an address as {expected}")
    user, password = (
        None if part is None else quote(unquote(part), safe="") for part in found.group("user", "password")
    )
    before = "" if user is None else f"{user}@" if password is None else f"{user}:{password}@"
    address = f"{found['scheme']}://{before}{found['host']}{found['rest'] or ''}"
    try:
        if urlsplit(address).port == 0:
            raise ValueError
    except ValueError:
        problem = f"its host and port {found['host']!r} are not as in host:1234"
        raise ImproperlyConfigured(f"{name}: expected {expected}; {problem}") from None
    return address


def redis_number(address: str) -> str:
    """Return the Redis database number from the path or, for a socket, from the query. It may be invalid."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        return query.get("db", "0")
    return "" if "db" in query else parts.path.removeprefix("/") or "0"


def redis_database(address: str, number: int) -> str:
    """Return the address of another database on the same Redis. For a socket, the number is in the query."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return parts._replace(path=f"/{number}").geturl()
    return _with_query(address, dict(parse_qsl(parts.query)) | {"db": number})


def celery_broker(address: str) -> str:
    """Return the address of a Redis in kombu's form, which uses another scheme for sockets."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return address
    query = dict(parse_qsl(parts.query))
    return "redis+socket" + _with_query(address, {"virtual_host": query.pop("db", "0"), **query})[len("unix") :]


def _with_query(address: str, query: dict[str, Any]) -> str:
    """Return the address with another query. Keeps the // of unix:///run/redis.sock, which `geturl` drops."""
    return f"{address.partition('?')[0]}?{urlencode(query)}"
