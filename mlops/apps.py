from django.apps import AppConfig


class MLOpsConfig(AppConfig):
    name = "mlops"
    verbose_name = "Machine learning operations"

    def ready(self) -> None:
        from mlops.data import erasure  # noqa: F401 (registers a receiver of catalog.signals.provider_purged)
        from mlops.monitoring import alerts  # noqa: F401 (registers a receiver of catalog.signals.sync_ended)
