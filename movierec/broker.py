"""The embedded site's broker: kombu's files, of which a worker only sees whole ones.

kombu opens a message's file, then locks and fills it: a worker that looks in between takes an empty message, loses it
and ends (https://github.com/celery/kombu/issues/1551). Here a file gets its name when it is complete.
"""

from __future__ import annotations

import fcntl
import json
import logging
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override] # kombu names it in two ways
        name = f"{time.time_ns():020}_{uuid4()}.{queue}.msg"  # a worker takes them in the order of their names
        try:
            _write(Path(self.data_folder_out) / name, dumps(message))
        except OSError as error:
            raise ChannelError(f"The message {name} could not be written: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except (json.JSONDecodeError, UnicodeDecodeError):  # the disk was full, or the machine lost power
                logger.error("A message of the queue %s was cut off and is left out", queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file = self._exchange_file(exchange)
        self.control_folder.mkdir(exist_ok=True)
        with (self.control_folder / "lock").open("w") as lock:  # or two that begin at once would undo each other's
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                _write(file, "[]")
        super()._queue_bind(exchange, routing_key, pattern, queue)


def _write(file: Path, content: str) -> None:
    """The file is there with all of its content, or not at all."""
    part = file.with_name(f"{uuid4()}.part")
    try:
        part.write_text(content, encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


class Transport(filesystem.Transport):
    Channel = Channel
