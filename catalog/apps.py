from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from catalog.jobs import worker  # noqa: F401 (it listens to Celery; models can only be imported by now)
