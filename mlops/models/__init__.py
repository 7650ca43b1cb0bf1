"""The truth about data, runs, models, verdicts and promotions; MLflow mirrors it."""

from .data import DatasetSnapshot, QuarantinedRow, UserSurrogate
from .drift import DriftReport
from .runs import PipelineRun, RunStep
from .studies import Backtest, Dependency
from .tuning import ParameterChoice, TuningStudy, TuningTrial
from .versions import GateVerdict, ModelVersion, Promotion
from .watch import Alert, Evidence, LiveQuality, RetrainingCheck, Watermark

__all__ = [
    "Alert",
    "Backtest",
    "DatasetSnapshot",
    "Dependency",
    "DriftReport",
    "Evidence",
    "GateVerdict",
    "LiveQuality",
    "ModelVersion",
    "ParameterChoice",
    "PipelineRun",
    "Promotion",
    "QuarantinedRow",
    "RetrainingCheck",
    "RunStep",
    "TuningStudy",
    "TuningTrial",
    "UserSurrogate",
    "Watermark",
]
