from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        # Models can only be imported by now: kinds of jobs register themselves, `worker` listens to Celery.
        from catalog.imports import job as import_job  # noqa: F401
        from catalog.jobs import worker  # noqa: F401
        from catalog.sync import job as sync_job  # noqa: F401
