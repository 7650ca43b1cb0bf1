"""Messages to workers. A broker that hangs, or cannot be reached, delays nobody who sends one."""

import logging
from threading import Thread
from typing import Any

from celery import current_app

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.15  # a broker that works takes a message in a hundredth of it


class _Sending(Thread):
    """Kombu and redis-py each retry, so that their time-outs add up to much more than they say: hence a thread."""

    def __init__(self, task: str, options: dict[str, Any]) -> None:
        super().__init__(name=f"send {task}", daemon=True)
        self.task, self.options = task, options
        self.was_taken = False

    def run(self) -> None:
        try:
            current_app.send_task(self.task, **self.options)
            self.was_taken = True
        except Exception:  # whatever the broker's transport raises
            logger.warning("the broker did not take %s", self.task, exc_info=True)


_hung: _Sending | None = None


def send(task: str, **options: Any) -> bool:
    """Sends a message; `options` as of Celery's `send_task`. Returns whether the broker took it in time.

    One that was not taken in time may still arrive. While it is under way, this process sends no other.
    """
    global _hung
    if _hung is not None and _hung.is_alive():
        return False
    sending = _Sending(task, options)
    sending.start()
    sending.join(WAIT_SECONDS)
    if sending.is_alive():
        _hung = sending
        logger.warning("the broker does not answer, so %s waits", task)
    return sending.was_taken
