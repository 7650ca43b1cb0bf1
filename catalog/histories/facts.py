"""What a history says of each movie, once its rows, which overlap, are put together."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from catalog.models import HistoryEntry, HistoryImport

Kind = HistoryEntry.Kind
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Facts:
    """`viewings`: the days, and whether it was seen before; None is an unknown day, which no known one is beside."""

    rating: float | None = None
    rated_at: datetime | None = None
    viewings: dict[date | None, bool] = field(default_factory=dict)
    noted_at: datetime | None = None
    is_wanted: bool = False
    wanted_at: datetime | None = None


def facts_by_movie(history: HistoryImport) -> dict[int, Facts]:
    """Of the rows that mean a movie; the latest rating counts, of two of one moment that of the later row."""
    found: dict[int, Facts] = defaultdict(Facts)
    rows = history.entries.exclude(movie=None).values_list(
        "movie_id", "kind", "rating", "noted_at", "watched_on", "is_rewatch"
    )
    for movie_id, kind, rating, noted_at, watched_on, is_rewatch in rows.iterator(chunk_size=5000):
        facts = found[movie_id]
        if rating is not None:
            _rate(facts, rating, noted_at, watched_on)
        if kind == Kind.WANTED:
            facts.is_wanted, facts.wanted_at = True, noted_at
        elif kind == Kind.WATCHED:
            facts.viewings[watched_on] = facts.viewings.get(watched_on, False) or is_rewatch
            facts.noted_at = facts.noted_at or noted_at
    for facts in found.values():
        if len(facts.viewings) > 1:
            facts.viewings.pop(None, None)
    return dict(found)


def _rate(facts: Facts, rating: float, noted_at: datetime | None, watched_on: date | None) -> None:
    moment = noted_at or (datetime.combine(watched_on, time(), UTC) if watched_on else None)
    if (moment or _NEVER) >= (facts.rated_at or _NEVER):
        facts.rating, facts.rated_at = rating, moment
