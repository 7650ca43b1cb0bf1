"""Doors to the services for workers and Beat."""

from celery import shared_task

from catalog import services


@shared_task(name="catalog.refresh_popularity", ignore_result=True)
def refresh_popularity() -> dict[str, int]:
    return {"changed": services.refresh_popularity()}
