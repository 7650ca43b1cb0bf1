"""Celery tasks: thin, idempotent wrappers around the services."""

import logging
import time
from types import ModuleType

from celery import shared_task

from catalog import pending_sign_ups, popularity
from catalog.errors import ProviderUnavailable
from catalog.following import syncs
from catalog.imports import lifecycle
from catalog.ingest.removal import remove_old_content
from catalog.jobs.reaper import requeue_stale as requeue_stale_jobs
from catalog.models import SyncRun, WikidataRun
from catalog.sample import job as sample_job
from catalog.site_settings import tmdb_read_token
from catalog.sync.work_items import SyncRequest

logger = logging.getLogger(__name__)

TASK_SECONDS = 600


@shared_task(name="catalog.refresh_popularity", ignore_result=True)
def refresh_popularity() -> dict[str, int]:
    return {"changed": popularity.refresh_popularity()}


@shared_task(name="catalog.requeue_stale", ignore_result=True)
def requeue_stale() -> dict[str, int]:
    return requeue_stale_jobs()


@shared_task(name="catalog.sync_tmdb", ignore_result=True)
def sync_tmdb(*, goes_on: bool = False) -> dict[str, str | int]:
    """Syncs everything due, or continues the waiting run (`goes_on`). Yields to other work after TASK_SECONDS."""
    removed = remove_old_content()
    if reason := _reason_to_skip(goes_on):
        logger.info("TMDB sync skipped: %s", reason)
        return {"skipped": reason, "too_old": removed}
    request = SyncRequest(SyncRun.Scope.EVERYTHING)
    run = _services()[0].sync(request, trigger=SyncRun.Trigger.SCHEDULED, until=time.monotonic() + TASK_SECONDS)
    return {"run": run.pk, "status": run.status, "too_old": removed}


def _services() -> tuple[ModuleType, ModuleType]:
    """Returns the modules that sync with TMDB and Wikidata."""
    from catalog.sync import wikidata, work  # a worker that never syncs does not load the HTTP client

    return work, wikidata


@shared_task(name="catalog.sync_wikidata", ignore_result=True)
def sync_wikidata(*, goes_on: bool = False) -> dict[str, str | int]:
    """Syncs the movies that are due, or continues the waiting run (`goes_on`). Also yields after TASK_SECONDS."""
    if goes_on and not WikidataRun.objects.filter(status__in=WikidataRun.ACTIVE).exists():
        return {"skipped": "the run has ended"}
    try:
        run = _services()[1].sync(trigger=WikidataRun.Trigger.SCHEDULED, until=time.monotonic() + TASK_SECONDS)
    except ProviderUnavailable as error:
        logger.info("Wikidata sync skipped: %s", error)
        return {"skipped": str(error)}
    return {"run": run.pk, "status": run.status} if run else {"skipped": "another process syncs with Wikidata"}


def _reason_to_skip(goes_on: bool) -> str:
    run = SyncRun.objects.filter(status__in=SyncRun.ACTIVE).first()
    if not tmdb_read_token():
        return "TMDB_READ_TOKEN is not set"
    if goes_on:
        return "" if run else "the run has ended"
    return f"{run} is under way" if run else ""


@shared_task(name=lifecycle.READ_TASK, ignore_result=True)
def read_import(*, import_id: int) -> dict[str, bool]:
    return {"read": lifecycle.read_import(import_id=import_id)}


@shared_task(name="catalog.follow_sources", ignore_result=True)
def follow_sources() -> dict[str, int]:
    return {"started": syncs.start_due_syncs()}


@shared_task(name=syncs.TASK, ignore_result=True)
def sync_source(*, sync_id: int) -> dict[str, bool]:
    return {"read": syncs.sync_source(sync_id=sync_id)}


@shared_task(name=sample_job.TASK, ignore_result=True)
def load_sample(*, load_id: int) -> dict[str, bool]:
    return {"loaded": sample_job.run_load(load_id=load_id)}


@shared_task(name="catalog.remove_old_imports", ignore_result=True)
def remove_old_imports() -> dict[str, int]:
    """Deletes old imports, and sign-ups whose link has expired."""
    return {"removed": lifecycle.remove_old_imports(), "sign_ups": pending_sign_ups.remove_expired()}
