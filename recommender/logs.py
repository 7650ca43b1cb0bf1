"""Logging of what may go wrong many times a second."""

import logging
import threading
import time

_said_at: dict[tuple[object, ...], float] = {}
_lock = threading.Lock()


def log_once_a_minute(logger: logging.Logger, message: str, *args: object) -> None:
    """The current exception with its traceback, unless the same was said within the last minute."""
    key = (logger.name, message, *args)
    now = time.monotonic()
    with _lock:
        if now - _said_at.get(key, -60.0) < 60:
            return
        _said_at[key] = now
    logger.exception(message, *args)
