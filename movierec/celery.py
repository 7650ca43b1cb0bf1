"""The Celery application. Tasks are defined in each app's `tasks.py`. Their log lines have task and request ids."""

import logging
import os
from functools import cached_property
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import (
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movierec.settings")


class Application(Celery):
    @cached_property
    def Worker(self) -> Any:  # noqa: N802 # Celery's name for it
        return self.subclass_with_self("movierec.worker:Worker")


app = Application("movierec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_logging(loglevel: int, **event: Any) -> None:
    """Keep Celery from adding its own log handlers. Output printed by tasks becomes log lines."""
    logging.getLogger().setLevel(loglevel)
    app.log.redirect_stdouts("WARNING")
    worker: Any = import_module("celery.apps.worker")
    worker.safe_say = _say


def _say(text: str, *_: Any) -> None:
    """Log the worker's output about signals. Signal handlers call this, so it must not take a lock."""
    record = logging.LogRecord("celery.apps.worker", logging.WARNING, "", 0, text, None, None)
    line = logging.getLogger().handlers[0].format(record)
    os.write(2, f"{line}\n".encode())


@before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **event: Any) -> None:
    if request_id := get_contextvars().get("request_id"):
        headers["request_id"] = request_id


@task_prerun.connect
def _bind_ids(task_id: str, task: Any, **event: Any) -> None:
    task.request.ids_before = get_contextvars()  # empty in a worker, but not in tests
    request_id = getattr(task.request, "request_id", None)
    bind_contextvars(task=task.name, task_id=task_id, **({"request_id": request_id} if request_id else {}))


@task_postrun.connect
def _forget_ids(task: Any, **event: Any) -> None:
    clear_contextvars()
    bind_contextvars(**task.request.ids_before)


@worker_process_init.connect
def _start_tracing(**event: Any) -> None:
    if settings.TRACING:
        import_module("movierec.tracing").start()


@worker_process_shutdown.connect
def _end_tracing(**event: Any) -> None:
    if settings.TRACING:
        import_module("movierec.tracing").end()
