"""The truth about data, runs, models, decisions and promotions; MLflow mirrors it."""

from .data import DatasetSnapshot, QuarantinedRow, UserPseudonym
from .monitoring import (
    Alert,
    Backtest,
    Dependency,
    DriftReport,
    Evidence,
    OnlineMetrics,
    RetrainingCheck,
    Watermark,
)
from .runs import PipelineRun, RunStep
from .tuning import ParameterChoice, TuningStudy, TuningTrial
from .versions import GateDecision, ModelVersion, Promotion

__all__ = [
    "Alert",
    "Backtest",
    "DatasetSnapshot",
    "Dependency",
    "DriftReport",
    "Evidence",
    "GateDecision",
    "ModelVersion",
    "OnlineMetrics",
    "ParameterChoice",
    "PipelineRun",
    "Promotion",
    "QuarantinedRow",
    "RetrainingCheck",
    "RunStep",
    "TuningStudy",
    "TuningTrial",
    "UserPseudonym",
    "Watermark",
]
