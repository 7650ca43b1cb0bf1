"""The truth about data, runs, models, verdicts and promotions; MLflow mirrors it."""

from .data import DatasetSnapshot, QuarantinedRow, UserSurrogate
from .drift import DriftReport
from .runs import PipelineRun, RunStep
from .versions import GateVerdict, ModelVersion, Promotion

__all__ = [
    "DatasetSnapshot",
    "DriftReport",
    "GateVerdict",
    "ModelVersion",
    "PipelineRun",
    "Promotion",
    "QuarantinedRow",
    "RunStep",
    "UserSurrogate",
]
