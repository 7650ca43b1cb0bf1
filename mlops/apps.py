from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# imported to register the sentences of findings
from mlops.data import codes as data_codes  # noqa: F401
from mlops.gate import codes as gate_codes  # noqa: F401
from mlops.monitoring import codes as monitoring_codes  # noqa: F401
from mlops.registry import codes as registry_codes  # noqa: F401
from mlops.test_score import codes as test_score_codes  # noqa: F401


class MLOpsConfig(AppConfig):
    name = "mlops"
    verbose_name = _("Machine learning operations")

    def ready(self) -> None:
        from mlops.data import erasure  # noqa: F401 (registers a receiver of catalog.signals.provider_purged)
        from mlops.monitoring import alerts  # noqa: F401 (registers a receiver of catalog.signals.sync_ended)
        from mlops.training import job  # noqa: F401 (registers trainings as a kind of job)
