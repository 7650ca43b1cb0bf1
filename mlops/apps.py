from django.apps import AppConfig


class MLOpsConfig(AppConfig):
    name = "mlops"
    verbose_name = "Machine learning operations"

    def ready(self) -> None:
        from mlops import withdrawals  # noqa: F401 (listens to the catalogue)
