"""A limit of requests per second, shared by all threads, processes and (with Redis) machines.

A request occupies a slot from its permitted start until one second, or `seconds`, after its response. The server
therefore never sees more requests than the limit within that time, however long requests take.
"""

import fcntl
import json
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings

IN_FLIGHT_SECONDS = 45.0  # longer than any request (see http.DEADLINE), so older slots belong to dead processes
LONGEST_WAIT = 0.5  # maximum wait before the next try, because a slot may become free early


class RateLimiter(ABC):
    def __init__(self, per_second: int, seconds: float = 1.0) -> None:
        self.per_second = per_second
        self.seconds = seconds

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for a free slot and holds it during the request."""
        key = uuid.uuid4().hex
        while (wait := self._take(key)) > 0:
            time.sleep(min(wait, LONGEST_WAIT))
        try:
            yield
        finally:
            self._release(key)

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Blocks all new requests for this many seconds, as the server requested."""

    @abstractmethod
    def _take(self, key: str) -> float:
        """Takes a slot and returns 0, or returns the seconds to wait before trying again."""

    @abstractmethod
    def _release(self, key: str) -> None: ...


class FileRateLimiter(RateLimiter):
    """A limit for one machine. Stores the slots in a small locked file, with times of the machine's monotonic clock."""

    def __init__(self, per_second: int, path: Path, seconds: float = 1.0) -> None:
        super().__init__(per_second, seconds)
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._mutex = threading.Lock()  # threads of this process wait for this instead of the file lock

    def pause(self, seconds: float) -> None:
        with self._state() as state:
            state["paused_until"] = max(state["paused_until"], time.monotonic() + seconds)

    def _take(self, key: str) -> float:
        with self._state() as state:
            now = time.monotonic()
            if (paused := state["paused_until"] - now) > 0:
                return paused
            if len(state["slots"]) >= self.per_second:
                return max(min(state["slots"].values()) - now, 0.001)
            state["slots"][key] = now + IN_FLIGHT_SECONDS
            return 0

    def _release(self, key: str) -> None:
        with self._state() as state:
            state["slots"][key] = time.monotonic() + self.seconds

    @contextmanager
    def _state(self) -> Iterator[dict]:
        """Locks and yields the state, then saves it.

        Replaces the file atomically, so that a killed process loses no slot.
        """
        with self._mutex, self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = _read(self._path)
            yield state
            written = self._path.with_name(self._path.name + ".new")
            written.write_text(json.dumps(state), encoding="utf-8")
            written.replace(self._path)


def _read(path: Path) -> dict:
    """Reads the state without expired slots, and without slots too far ahead, which predate a reset of the clock."""
    now = time.monotonic()
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        slots = {key: until for key, until in state["slots"].items() if now < until <= now + IN_FLIGHT_SECONDS}
        paused_until = state["paused_until"] if state["paused_until"] <= now + 3600 else 0.0
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # missing or corrupt
        slots, paused_until = {}, 0.0
    return {"slots": slots, "paused_until": paused_until}


# uses the Redis server's clock in milliseconds, so that the machines' clocks need not agree
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return paused end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(tonumber(first[2]) - now, 1)
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]) + 1000)
return 0
"""


class RedisRateLimiter(RateLimiter):
    """A limit for any number of machines. Stores the slots in a sorted set, by the time they become free."""

    def __init__(self, per_second: int, url: str, prefix: str, seconds: float = 1.0) -> None:
        super().__init__(per_second, seconds)
        self._redis = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=3)
        self._keys = [f"{prefix}:rate-limit", f"{prefix}:rate-limit-pause"]
        self._take_script = self._redis.register_script(_TAKE)

    def pause(self, seconds: float) -> None:
        milliseconds = int(seconds * 1000)
        if milliseconds > int(self._redis.pttl(self._keys[1])):
            self._redis.set(self._keys[1], 1, px=milliseconds)

    def _take(self, key: str) -> float:
        arguments: list[str | int] = [key, self.per_second, int(IN_FLIGHT_SECONDS * 1000)]
        return float(self._take_script(keys=self._keys, args=arguments)) / 1000

    def _release(self, key: str) -> None:
        seconds, microseconds = self._redis.time()
        until = seconds * 1000 + microseconds // 1000 + int(self.seconds * 1000) + 1
        self._redis.zadd(self._keys[0], {key: until})


def limiter_of(provider: str, requests: int, seconds: float = 1.0) -> RateLimiter:
    """Returns the limit shared by this site's processes for a provider: `requests` per `seconds`."""
    if settings.REDIS_URL:
        return RedisRateLimiter(requests, settings.REDIS_URL, f"{settings.REDIS_PREFIX}:{provider}", seconds)
    return FileRateLimiter(requests, settings.VAR_DIR / f"{provider}-rate-limit", seconds)
