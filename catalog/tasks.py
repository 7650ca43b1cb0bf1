"""Doors to the services for workers and Beat."""

import logging
import time

from celery import shared_task
from django.conf import settings
from django.db import OperationalError

from catalog import services
from catalog.imports import lifecycle
from catalog.imports.job import READ_TASK
from catalog.jobs.reaper import requeue_stale as requeue_stale_jobs
from catalog.models import SyncRun
from catalog.sync.due import Asked
from catalog.sync.removal import remove_old_content
from catalog.sync.runs import is_worked_at
from catalog.sync.work import sync

logger = logging.getLogger(__name__)

TASK_SECONDS = 600


@shared_task(name="catalog.refresh_popularity", ignore_result=True)
def refresh_popularity() -> dict[str, int]:
    return {"changed": services.refresh_popularity()}


@shared_task(name="catalog.requeue_stale", ignore_result=True)
def requeue_stale() -> dict[str, int]:
    return requeue_stale_jobs()


@shared_task(
    name="catalog.sync_tmdb", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=30, max_retries=5
)
def sync_tmdb(*, goes_on: bool = False) -> dict[str, str | int]:
    """Everything due. Longer than TASK_SECONDS it goes on in a message of its own, so that other work gets its turn."""
    removed = remove_old_content()
    reason = "" if settings.TMDB_READ_TOKEN else "TMDB_READ_TOKEN is not set"
    run = SyncRun.objects.filter(status=SyncRun.Status.RUNNING).first()
    if run and not goes_on and is_worked_at(run):
        reason = reason or f"{run} is under way"
    if reason:
        logger.info("TMDB sync skipped: %s", reason)
        return {"skipped": reason, "too_old": removed}
    run = sync(Asked(SyncRun.Kind.EVERYTHING), until=time.monotonic() + TASK_SECONDS)
    if run.status == SyncRun.Status.RUNNING:
        sync_tmdb.delay(goes_on=True)
    return {"run": run.pk, "status": run.status, "too_old": removed}


@shared_task(name=READ_TASK, ignore_result=True)
def read_import(*, import_id: int) -> dict[str, bool]:
    return {"read": lifecycle.read_import(import_id=import_id)}


@shared_task(name="catalog.remove_old_imports", ignore_result=True)
def remove_old_imports() -> dict[str, int]:
    return {"removed": lifecycle.remove_old_imports()}
