import socket

import pytest

from movierec.caches.files import LazyCullFileCache
from movierec.caches.redis import FailOpenRedisCache, JSONSerializer


@pytest.fixture
def dead_cache() -> FailOpenRedisCache:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return FailOpenRedisCache(f"redis://127.0.0.1:{port}/0", {})


def test_a_dead_redis_is_an_empty_cache(dead_cache):
    assert dead_cache.add("key", 1) is True
    dead_cache.set("key", [1.5])
    assert dead_cache.get("key", "nothing") == "nothing"
    assert dead_cache.incr("key") == 1
    assert dead_cache.delete("key") is False
    assert dead_cache.touch("key") is False
    dead_cache.clear()


@pytest.mark.parametrize("value", [7, 1.5, [1.25, 2.5], {"a": None}, "text", True])
def test_values_travel_as_json(value):
    stored = JSONSerializer().dumps(value)
    assert JSONSerializer().loads(str(stored).encode() if isinstance(stored, int) else stored) == value


def test_files_hold_the_rate_limits_of_a_crowd(tmp_path):
    cache = LazyCullFileCache(str(tmp_path), {})
    for visitor in range(600):
        cache.set(f"visitor-{visitor}", [visitor])
    assert all(cache.get(f"visitor-{visitor}") == [visitor] for visitor in range(600))


def test_files_do_not_pile_up(tmp_path):
    cache = LazyCullFileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 20}})
    for visitor in range(2000):
        cache.set(f"visitor-{visitor}", visitor)
    assert len(list(tmp_path.iterdir())) < 2000
