"""Data, runs, versions, verdicts and promotions in the admin: to look at, and to act on through the services."""

from mlops.admin.data import DatasetSnapshotAdmin, QuarantinedRowAdmin
from mlops.admin.records import DriftReportAdmin, GateVerdictAdmin, PromotionAdmin
from mlops.admin.runs import PipelineRunAdmin
from mlops.admin.versions import ModelVersionAdmin

__all__ = [
    "DatasetSnapshotAdmin",
    "DriftReportAdmin",
    "GateVerdictAdmin",
    "ModelVersionAdmin",
    "PipelineRunAdmin",
    "PromotionAdmin",
    "QuarantinedRowAdmin",
]
