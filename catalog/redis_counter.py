"""Counts requests in Redis; see `catalog.counter`."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError
from redis.retry import Retry

from catalog.errors import RedisUnavailable

TIMEOUT = 0.15  # seconds that a hung Redis delays a request
LUA = """
local count = redis.call("INCR", KEYS[1])
if count == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return {count, redis.call("PTTL", KEYS[1])}
"""


def count(key: str, seconds: int) -> tuple[int, float]:
    """As `catalog.counter.count`. Raises RedisUnavailable."""
    try:
        number, milliseconds = _script(settings.COUNTER_URL)(
            keys=[f"{settings.REDIS_PREFIX}:count:{key}"], args=[seconds * 1000]
        )
    except RedisError as error:
        raise RedisUnavailable(str(error)) from error
    return number, milliseconds / 1000


@cache
def _script(url: str) -> Script:
    retry = Retry(NoBackoff(), 1, supported_errors=(NotConnected,))  # once, for connections that Redis closed
    return Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=retry).register_script(LUA)
