"""The overlapping rows of an import, merged into one record per movie."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from catalog.models import ImportRow, UserImport

Kind = ImportRow.Kind
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class MergedRow:
    """`viewings` maps days to whether it was a rewatch; None, an unknown day, stands only alone."""

    rating: float | None = None
    rated_at: datetime | None = None
    viewings: dict[date | None, bool] = field(default_factory=dict)
    recorded_at: datetime | None = None
    is_wanted: bool = False
    wanted_at: datetime | None = None


def merge_rows(user_import: UserImport) -> dict[int, MergedRow]:
    """Merges the matched rows per movie. The latest rating counts; at the same time, that of the later row."""
    found: dict[int, MergedRow] = defaultdict(MergedRow)
    rows = user_import.rows.exclude(movie=None).values_list(
        "movie_id", "kind", "rating", "recorded_at", "watched_on", "is_rewatch"
    )
    for movie_id, kind, rating, recorded_at, watched_on, is_rewatch in rows.iterator(chunk_size=5000):
        merged = found[movie_id]
        if rating is not None:
            _rate(merged, rating, recorded_at, watched_on)
        if kind == Kind.WANTED:
            merged.is_wanted, merged.wanted_at = True, recorded_at
        elif kind == Kind.WATCHED:
            merged.viewings[watched_on] = merged.viewings.get(watched_on, False) or is_rewatch
            merged.recorded_at = merged.recorded_at or recorded_at
    for merged in found.values():
        if len(merged.viewings) > 1:
            merged.viewings.pop(None, None)
    return dict(found)


def _rate(merged: MergedRow, rating: float, recorded_at: datetime | None, watched_on: date | None) -> None:
    moment = recorded_at or (datetime.combine(watched_on, time(), UTC) if watched_on else None)
    if (moment or _NEVER) >= (merged.rated_at or _NEVER):
        merged.rating, merged.rated_at = rating, moment
