"""Data, runs, versions, decisions and promotions in the admin: to look at, and to act on through the services."""

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
from mlops.admin.records import GateDecisionAdmin, PromotionAdmin
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
    "GateDecisionAdmin",
    "ModelVersionAdmin",
    "OnlineMetricsAdmin",
    "ParameterChoiceAdmin",
    "PipelineRunAdmin",
    "PromotionAdmin",
    "QuarantinedRowAdmin",
    "RetrainingCheckAdmin",
    "TuningStudyAdmin",
]
