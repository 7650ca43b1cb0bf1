"""Celery workers: heartbeats from the main process, work at a priority of its own in the children."""

import os
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_ready
from django.conf import settings

from catalog.jobs.heartbeat import heartbeats


@worker_init.connect
def _expect_heartbeats(**event: Any) -> None:
    heartbeats.is_expected = True


@worker_ready.connect
def _start_heartbeats(**event: Any) -> None:
    heartbeats.start()


@worker_process_init.connect
def _make_room(**event: Any) -> None:
    """Web processes come first: people wait for those. The main process keeps its priority, and so its heartbeats."""
    os.nice(settings.WORKER_NICE)
