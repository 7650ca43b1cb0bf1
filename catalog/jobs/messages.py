"""Sends messages to workers. A broker that hangs or is unreachable does not delay the sender."""

import logging
from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from typing import Any

from celery import current_app
from django.db import connection

from catalog.jobs.connection import LOST_CONNECTION

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.15  # a healthy broker needs a hundredth of this


class _Sending(Thread):
    """Sends one message in a thread, because the retries of Kombu and redis-py multiply their timeouts."""

    def __init__(self, task: str, on_late: Callable[[], object], options: dict[str, Any]) -> None:
        super().__init__(name=f"send {task}", daemon=True)
        self.task, self.on_late, self.options = task, on_late, options
        self.was_taken = self.is_late = False
        self._context = copy_context()  # with the ids of the request or task that sends it

    def run(self) -> None:
        self._context.run(self._send)

    def _send(self) -> None:
        try:
            current_app.send_task(self.task, **self.options)
        except Exception:  # the broker's transport may raise any exception
            logger.warning("the broker did not take %s", self.task, exc_info=True)
            return
        # Set before `is_late` is read. `send` sets and reads in the opposite order, so at least one sees the other.
        self.was_taken = True
        if self.is_late:
            self._report_late()

    def _report_late(self) -> None:
        try:
            self.on_late()
        except LOST_CONNECTION as error:
            logger.warning("the database did not take that %s was sent: %s", self.task, error)
        finally:
            connection.close()  # the connection of this thread


_hung: _Sending | None = None


def send(task: str, *, on_late: Callable[[], object] = lambda: None, **options: Any) -> bool:
    """Sends a message with Celery's `send_task` options. Returns whether the broker accepted it in time.

    A message that was not accepted in time may still arrive. Then `on_late` is called in another thread. Until then,
    this process sends no other message.
    """
    global _hung
    if _hung is not None and _hung.is_alive():
        return False
    sending = _Sending(task, on_late, options)
    sending.start()
    sending.join(WAIT_SECONDS)
    if sending.is_alive():
        _hung, sending.is_late = sending, True
        logger.warning("the broker does not answer, so %s waits", task)
    return sending.was_taken
