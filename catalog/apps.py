from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        # Only now can models be imported. Job kinds register themselves, and `heartbeat` connects to Celery's signals.
        from catalog.imports import lifecycle  # noqa: F401
        from catalog.jobs import heartbeat  # noqa: F401
        from catalog.sync import job as sync_job  # noqa: F401
