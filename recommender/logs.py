"""Rate-limits log messages that could repeat many times a second."""

import threading
import time
from collections.abc import Callable, Hashable

_logged_at: dict[Hashable, float] = {}
_lock = threading.Lock()


def log_once_a_minute(log: Callable[..., None], message: str, *args: object, key: Hashable = None) -> None:
    """Call `log(message, *args)` unless the same message was logged within the last minute.

    Pass `key` to identify the message if its arguments vary too much, for example by user.
    """
    key = (message, args) if key is None else (message, key)
    now = time.monotonic()
    with _lock:
        if now - _logged_at.get(key, -60.0) < 60:
            return
        _logged_at[key] = now
    log(message, *args)
