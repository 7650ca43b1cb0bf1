"""Counts requests across all processes, in Redis or, if Redis is missing or unreachable, in a database.

If the database cannot be written, each process counts its own requests. A window begins with its first request and has
a fixed length. Counting is one atomic step that uses the server's clock, so that no two requests get the same number.
"""

import hashlib
import logging
import random
import threading
import time
from functools import cache
from types import ModuleType

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from catalog.errors import RedisUnavailable
from catalog.models import RequestCount
from catalog.signals import counter_failed

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5  # pause before a process retries a Redis or database that failed
CLEAN_EVERY = 100  # expired windows are deleted once per this many new ones, on average
KEYS_IN_MEMORY = 10_000  # if there are more, the oldest window is dropped
FILE = "counter.sqlite3"  # used by embedded sites
TABLE = RequestCount._meta.db_table
CREATE = f"CREATE TABLE IF NOT EXISTS {TABLE} (key TEXT PRIMARY KEY, count INTEGER, ends_at REAL);"
NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400",
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
}
# Windows that end too far in the future began before the clock was set back, or under another rate.
GOES_ON = "row.ends_at BETWEEN {now} AND excluded.ends_at + %(seconds)s"
UPSERT = f"""
INSERT INTO {{table}} AS row (key, count, ends_at) VALUES (%(key)s, %(n)s, {{now}} + %(seconds)s)
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN {GOES_ON} THEN row.count + %(n)s ELSE %(n)s END,
    ends_at = CASE WHEN {GOES_ON} THEN row.ends_at ELSE excluded.ends_at END
RETURNING count, ends_at - {{now}}
"""
_paused_until = 0.0
_database_paused_until = 0.0
_in_memory: dict[str, tuple[int, float]] = {}
_memory_lock = threading.Lock()


def _redis() -> ModuleType:
    from catalog import redis_counter  # slow to import, and not needed by commands

    return redis_counter


def count(key: str, *, seconds: int, n: int = 1) -> tuple[int, float]:
    """Counts n requests. Returns the number of requests in the window of `key`, and the seconds until it ends."""
    global _paused_until, _database_paused_until
    hashed = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:40]  # addresses and names are not stored
    if settings.COUNTER_URL and time.monotonic() >= _paused_until:
        try:
            return _redis().count(hashed, seconds, n)
        except RedisUnavailable as error:
            _paused_until = time.monotonic() + PAUSE_SECONDS
            logger.error("Redis cannot count requests, so the database does for %d s: %s", PAUSE_SECONDS, error)
            counter_failed.send_robust(sender=None)
    if time.monotonic() >= _database_paused_until:
        try:
            return _count_in_database(hashed, seconds, n)
        except Error as error:
            _database_paused_until = time.monotonic() + PAUSE_SECONDS
            logger.error("The database cannot count requests, so each process does for %d s: %s", PAUSE_SECONDS, error)
    return _count_in_memory(hashed, seconds, n)


def redis_error() -> str:
    """Returns why Redis cannot count, or "" if it can or the site has no Redis."""
    try:
        if settings.COUNTER_URL:
            _redis().count("check", 1)
    except RedisUnavailable as error:
        return str(error)
    return ""


def database() -> BaseDatabaseWrapper:
    """Returns the connection. Embedded sites count in a separate file, so that requests do not wait for imports."""
    return _files()[DEFAULT_DB_ALIAS] if settings.EMBEDDED else connections[DEFAULT_DB_ALIAS]


@cache
def _files() -> ConnectionHandler:
    site = settings.DATABASES[DEFAULT_DB_ALIAS]
    options = site["OPTIONS"] | {"init_command": site["OPTIONS"]["init_command"] + CREATE}
    return ConnectionHandler({DEFAULT_DB_ALIAS: site | {"NAME": settings.VAR_DIR / FILE, "OPTIONS": options}})


def _count_in_database(key: str, seconds: int, n: int) -> tuple[int, float]:
    names = {"table": TABLE, "now": NOW[database().vendor]}
    with database().cursor() as cursor:
        cursor.execute(UPSERT.format(**names), {"key": key, "seconds": seconds, "n": n})
        number, seconds_left = cursor.fetchone()
        if number == n and random.randrange(CLEAN_EVERY) == 0:
            cursor.execute("DELETE FROM {table} WHERE ends_at < {now}".format(**names))
    return number, seconds_left


def _count_in_memory(key: str, seconds: int, n: int) -> tuple[int, float]:
    now = time.monotonic()
    with _memory_lock:
        number, ends_at = _in_memory.pop(key, (0, 0.0))
        if ends_at <= now:
            number, ends_at = 0, now + seconds
        if len(_in_memory) >= KEYS_IN_MEMORY:
            del _in_memory[next(iter(_in_memory))]
        _in_memory[key] = (number + n, ends_at)
    return number + n, ends_at - now
