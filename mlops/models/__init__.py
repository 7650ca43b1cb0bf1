"""Models of data, runs, versions, decisions, promotions and monitoring: the source of truth, which MLflow mirrors."""

from .data import DatasetSnapshot, QuarantinedRow, UserPseudonym
from .monitoring import (
    Alert,
    Backtest,
    Dependency,
    DriftReport,
    OnlineMetrics,
    RetrainingCheck,
    SiteIdentity,
    TestEvidence,
    Watermark,
)
from .runs import ParameterChoice, PipelineRun, RunStep, TuningStudy, TuningTrial
from .versions import GateDecision, ModelVersion, Promotion

__all__ = [
    "Alert",
    "Backtest",
    "DatasetSnapshot",
    "Dependency",
    "DriftReport",
    "GateDecision",
    "ModelVersion",
    "OnlineMetrics",
    "ParameterChoice",
    "PipelineRun",
    "Promotion",
    "QuarantinedRow",
    "RetrainingCheck",
    "RunStep",
    "SiteIdentity",
    "TestEvidence",
    "TuningStudy",
    "TuningTrial",
    "UserPseudonym",
    "Watermark",
]
