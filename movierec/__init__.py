"""The project: settings, URLs, the Celery application, health, and the one error shape of the API."""

from movierec.celery import app as celery_app

__all__ = ["celery_app"]
