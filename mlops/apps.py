from django.apps import AppConfig


class MLOpsConfig(AppConfig):
    name = "mlops"
    verbose_name = "Machine learning operations"

    def ready(self) -> None:
        from mlops import catalogue_watch, withdrawals  # noqa: F401 (they listen to the catalogue)
