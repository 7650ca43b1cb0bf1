"""The cache of larger installations."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class JSONSerializer:
    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()  # Redis increments plain integers only

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class FailOpenRedisCache(RedisCache):
    """Stores JSON. A dead Redis acts as an empty cache instead of an error: rate limits and counters pause."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": JSONSerializer, "socket_timeout": 1, "socket_connect_timeout": 1}
        super().__init__(server, params | {"OPTIONS": options | params.get("OPTIONS", {})})

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_attempt(super().add, True, *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _attempt(super().get, default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        _attempt(super().set, None, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_attempt(super().touch, False, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_attempt(super().delete, False, *args, **kwargs))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(_attempt(super().incr, delta, key, delta, version))

    def clear(self) -> None:
        _attempt(super().clear, None)


def _attempt(call: Callable[..., Any], otherwise: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except RedisError as error:
        logger.warning("The cache does not answer: %s", error)
        return otherwise
