"""The part of the catalog that a loaded model must know, read only where it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Count, Max

from catalog.models import Credit, Movie, MovieGenre, MovieKeyword

LINKS = (MovieGenre, MovieKeyword, Credit)
OVERLAP = timedelta(minutes=2)  # a transaction may commit rows older than the latest row already read


@dataclass(frozen=True)
class Watermark:
    """How far the catalog has been read; later changes are still to be loaded."""

    n_movies: int
    last_movie: int
    updated_at: datetime
    last_links: tuple[int, ...] | None

    @classmethod
    def at(cls, timestamp: float) -> Self:
        """Nothing has been read, but everything older than `timestamp` is known."""
        return cls(0, 0, datetime.fromtimestamp(timestamp, tz=UTC), None)

    @classmethod
    def now(cls) -> Self:
        movies = Movie.objects.aggregate(count=Count("pk"), last=Max("pk"), updated_at=Max("updated_at"))
        links = tuple(model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in LINKS)
        never = datetime.fromtimestamp(0, tz=UTC)
        return cls(movies["count"], movies["last"] or 0, movies["updated_at"] or never, links)


@dataclass(frozen=True)
class CatalogSnapshot:
    ids: list[int]  # newest first
    changed: set[int]
    watermark: Watermark

    @classmethod
    def read(cls, *, since: Watermark) -> Self | None:
        """None if nothing changed, at the price of four small queries."""
        watermark = Watermark.now()
        if watermark == since:
            return None
        changed = set(Movie.objects.filter(updated_at__gte=since.updated_at - OVERLAP).values_list("pk", flat=True))
        for model, last in zip(LINKS, since.last_links or (), strict=False):
            changed |= set(model._default_manager.filter(pk__gt=last).values_list("movie_id", flat=True))
        return cls(list(Movie.objects.newest().values_list("pk", flat=True)), changed, watermark)
