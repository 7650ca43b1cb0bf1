"""Maps data of a site made at ff2ac02 to the newer checkout: renamed models, and fields that hold codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps

MODELS = {  # old label -> new label, if they differ
    "catalog.HistoryEntry": "catalog.ImportRow",
    "catalog.HistoryImport": "catalog.UserImport",
    "mlops.Evidence": "mlops.TestEvidence",
    "mlops.GateVerdict": "mlops.GateDecision",
    "mlops.LiveQuality": "mlops.OnlineMetrics",
    "mlops.UserSurrogate": "mlops.UserPseudonym",
    "recommender.ServedMinute": "recommender.ServingStatsMinute",
}
FREE_TO_SHRINK = {"recommender.ServedMinute"}  # the site itself removes old rows
CODES = (  # (old label, field); a third part is a key of each object in a JSON list
    ("mlops.QuarantinedRow", "reasons"),
    ("mlops.Alert", "code"),
    ("mlops.DriftReport", "checks.name"),
    ("mlops.GateVerdict", "rules.name"),
    ("mlops.RetrainingCheck", "criteria.name"),
    ("mlops.Evidence", "code"),
)


def find_model(label: str) -> Any:
    """Returns the model with this label. Raises LookupError."""
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
