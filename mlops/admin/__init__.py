"""Data, runs, versions, decisions and promotions in the admin: to look at, and to act on through the services."""

from mlops.admin.data import DatasetSnapshotAdmin, QuarantinedRowAdmin
from mlops.admin.monitoring import (
    AlertAdmin,
    BacktestAdmin,
    DependencyAdmin,
    DriftReportAdmin,
    OnlineMetricsAdmin,
    RetrainingCheckAdmin,
    TestEvidenceAdmin,
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
    "GateDecisionAdmin",
    "ModelVersionAdmin",
    "OnlineMetricsAdmin",
    "ParameterChoiceAdmin",
    "PipelineRunAdmin",
    "PromotionAdmin",
    "QuarantinedRowAdmin",
    "RetrainingCheckAdmin",
    "TestEvidenceAdmin",
    "TuningStudyAdmin",
]
