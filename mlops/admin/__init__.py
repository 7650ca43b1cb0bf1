"""Data, runs, versions, verdicts and promotions in the admin: to look at, and to act on through the services."""

from mlops.admin.data import DatasetSnapshotAdmin, QuarantinedRowAdmin
from mlops.admin.records import GateVerdictAdmin, PromotionAdmin
from mlops.admin.runs import PipelineRunAdmin
from mlops.admin.tuning import ParameterChoiceAdmin, TuningStudyAdmin
from mlops.admin.versions import ModelVersionAdmin
from mlops.admin.watch import (
    AlertAdmin,
    BacktestAdmin,
    DependencyAdmin,
    DriftReportAdmin,
    EvidenceAdmin,
    LiveQualityAdmin,
    RetrainingCheckAdmin,
)

__all__ = [
    "AlertAdmin",
    "BacktestAdmin",
    "DatasetSnapshotAdmin",
    "DependencyAdmin",
    "DriftReportAdmin",
    "EvidenceAdmin",
    "GateVerdictAdmin",
    "LiveQualityAdmin",
    "ModelVersionAdmin",
    "ParameterChoiceAdmin",
    "PipelineRunAdmin",
    "PromotionAdmin",
    "QuarantinedRowAdmin",
    "RetrainingCheckAdmin",
    "TuningStudyAdmin",
]
