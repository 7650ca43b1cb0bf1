"""What the page of a version shows: its figures beside those of the champion it was compared with, and its health."""

from typing import Any

from catalog.models import Movie
from mlops.dashboard.report import METRICS, SLICE_METRICS, figure_rows, group_rows, side_by_side, slice_rows
from mlops.models import ModelVersion
from mlops.monitoring.auto_rollback import assess


def page_of(version: ModelVersion) -> dict[str, Any]:
    decision = version.decisions.select_related("champion", "decided_by").first()
    champion = decision.champion if decision else None
    health = assess() if version.status == ModelVersion.Status.CHAMPION else None
    return {
        "metrics": [name.replace("_", " ") for name in METRICS],
        "figures": figure_rows(version.figures),
        "slice_metrics": SLICE_METRICS,
        "slices": list(slice_rows(version.figures)),
        "groups": list(group_rows(version.figures)),
        "decision": decision,
        "champion": champion,
        "pairs": side_by_side(version.figures, champion.figures) if champion else [],
        "changes": changes_of(version),
        "health": health if health and health.version else None,
        "promotions": version.promotions.select_related("promoted_by", "previous"),
    }


def changes_of(version: ModelVersion) -> list[dict[str, Any]]:
    """The sample of lists that would change, with titles; a movie that has gone from the catalogue is left out."""
    sample = (version.figures.get("replay") or {}).get("sample", [])
    movies = Movie.objects.in_bulk({movie for change in sample for movie in (*change["comes"], *change["goes"])})
    return [
        change | {name: [movies[movie] for movie in change[name] if movie in movies] for name in ("comes", "goes")}
        for change in sample
    ]
