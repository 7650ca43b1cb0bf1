"""Where the newer checkout keeps the data of a site made at ff2ac02: renamed models, and the fields that hold codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps

MODELS = {  # old label -> new label, where they differ
    "catalog.HistoryEntry": "catalog.ImportRow",
    "catalog.HistoryImport": "catalog.UserImport",
    "mlops.Evidence": "mlops.TestEvidence",
    "mlops.GateVerdict": "mlops.GateDecision",
    "mlops.LiveQuality": "mlops.OnlineMetrics",
    "mlops.UserSurrogate": "mlops.UserPseudonym",
    "recommender.ServedMinute": "recommender.ServingStatsMinute",
}
FREE_TO_SHRINK = {"recommender.ServedMinute"}  # rows that the site itself removes with time
CODES = (  # old label, field; a step behind the field is a key of each object of a JSON list
    ("mlops.QuarantinedRow", "reasons"),
    ("mlops.Alert", "code"),
    ("mlops.DriftReport", "checks.name"),
    ("mlops.GateVerdict", "rules.name"),
    ("mlops.RetrainingCheck", "criteria.name"),
    ("mlops.Evidence", "code"),
)


def find_model(label: str) -> Any:
    """Raises LookupError."""
    return apps.get_model(MODELS.get(label, label))


def stored_values(label: str, field: str) -> Iterator[Any]:
    name, _, key = field.partition(".")
    for value in find_model(label)._base_manager.values_list(name, flat=True):
        if key:
            yield from (part.get("code", part.get(key)) for part in value)
        elif isinstance(value, list):
            yield from value
        else:
            yield value
