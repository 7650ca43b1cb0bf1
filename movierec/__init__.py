"""The project: settings, URLs, the Celery application, health checks and the API's error format."""

from movierec.celery import app as celery_app

__all__ = ["celery_app"]
