"""Data, runs, versions, verdicts and promotions in the admin: to look at, and to act on through the services."""

from mlops.admin.data import DatasetSnapshotAdmin, QuarantinedRowAdmin
from mlops.admin.monitoring import (
    AlertAdmin,
    BacktestAdmin,
    DependencyAdmin,
    DriftReportAdmin,
    EvidenceAdmin,
    OnlineMetricsAdmin,
    RetrainingCheckAdmin,
)
from mlops.admin.records import GateVerdictAdmin, PromotionAdmin
from mlops.admin.runs import PipelineRunAdmin
from mlops.admin.tuning import ParameterChoiceAdmin, TuningStudyAdmin
from mlops.admin.versions import ModelVersionAdmin

__all__ = [
    "AlertAdmin",
    "BacktestAdmin",
    "DatasetSnapshotAdmin",
    "DependencyAdmin",
    "DriftReportAdmin",
    "EvidenceAdmin",
    "GateVerdictAdmin",
    "ModelVersionAdmin",
    "OnlineMetricsAdmin",
    "ParameterChoiceAdmin",
    "PipelineRunAdmin",
    "PromotionAdmin",
    "QuarantinedRowAdmin",
    "RetrainingCheckAdmin",
    "TuningStudyAdmin",
]
