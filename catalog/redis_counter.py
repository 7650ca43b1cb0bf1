"""Counts requests in Redis (see `catalog.counter`)."""

import os
from functools import cache
from hashlib import sha1
from threading import local
from typing import Any

from django.conf import settings
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from catalog.errors import RedisUnavailable

TIMEOUT = 0.15  # maximum delay of a request, in seconds, if Redis hangs
LUA = """
local count = redis.call("INCRBY", KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return {count, redis.call("PTTL", KEYS[1])}
"""
SHA = sha1(LUA.encode(), usedforsecurity=False).hexdigest()


class _Own(local):
    """One connection per thread, because taking one from a pool takes longer than counting."""

    connections: dict[str, ConnectionInterface]

    def __init__(self) -> None:
        self.connections = {}


_own = _Own()
# otherwise two processes would read each other's replies
os.register_at_fork(after_in_child=lambda: _own.connections.clear())


def count(key: str, seconds: int, n: int = 1) -> tuple[int, float]:
    """Counts like `catalog.counter.count`. Raises RedisUnavailable."""
    try:
        number, milliseconds = _run(1, f"{settings.REDIS_PREFIX}:count:{key}", seconds * 1000, n)
    except RedisError as error:
        raise RedisUnavailable(str(error)) from error
    return number, milliseconds / 1000


def _run(*arguments: Any) -> Any:
    url = settings.COUNTER_URL
    connection = _own.connections.get(url)
    if connection is None:
        pool = _pool(url)  # not its make_connection(), which counts connections of ended threads
        connection = _own.connections[url] = pool.connection_class(**pool.connection_kwargs)
    try:
        return _evaluate(connection, *arguments)
    except NotConnected:  # Redis may have closed the connection since its last use
        return _evaluate(connection, *arguments)


def _evaluate(connection: ConnectionInterface, *arguments: Any) -> Any:
    try:
        connection.send_command("EVALSHA", SHA, *arguments)
        return connection.read_response()
    except NoScriptError:
        connection.send_command("EVAL", LUA, *arguments)
        return connection.read_response()


@cache
def _pool(url: str) -> ConnectionPool:
    """Returns a pool, which is used only for its connection settings."""
    return ConnectionPool.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), protocol=2
    )
