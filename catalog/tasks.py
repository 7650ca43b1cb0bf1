"""Doors to the services for workers and Beat."""

import logging

from celery import shared_task
from django.conf import settings

from catalog import services

logger = logging.getLogger(__name__)


@shared_task(name="catalog.refresh_popularity", ignore_result=True)
def refresh_popularity() -> dict[str, int]:
    return {"changed": services.refresh_popularity()}


@shared_task(name="catalog.sync_tmdb", ignore_result=True)
def sync_tmdb() -> dict[str, str]:
    reason = "this version does not read TMDB yet" if settings.TMDB_READ_TOKEN else "TMDB_READ_TOKEN is not set"
    logger.info("TMDB sync skipped: %s", reason)
    return {"skipped": reason}
