"""The embedded site's broker: kombu's file transport, made safe for concurrent workers.

kombu creates a message's file before it locks and fills it. A worker that reads the file in between gets an empty
message, loses it and exits (https://github.com/celery/kombu/issues/1551). This broker writes a complete file and
renames it into place.
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
    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override] # kombu is inconsistent
        name = f"{time.time_ns():020}_{uuid4()}.{queue}.msg"  # workers read messages in order of file names
        try:
            _write(Path(self.data_folder_out) / name, dumps(message))
        except OSError as error:
            raise ChannelError(f"The message {name} could not be written: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except (json.JSONDecodeError, UnicodeDecodeError):  # the disk was full or the machine lost power
                logger.error("Skipped a truncated message of the queue %s", queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file = self._exchange_file(exchange)
        self.control_folder.mkdir(exist_ok=True)
        with (self.control_folder / "lock").open("w") as lock:  # without the lock, concurrent bindings could lose one
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                _write(file, "[]")
        super()._queue_bind(exchange, routing_key, pattern, queue)


def _write(file: Path, content: str) -> None:
    """Write atomically, so that readers see a complete file or none."""
    part = file.with_name(f"{uuid4()}.part")
    try:
        part.write_text(content, encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


class Transport(filesystem.Transport):
    Channel = Channel
