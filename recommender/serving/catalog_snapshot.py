"""What a served model must know of the catalogue, read only where it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Count, Max

from catalog.models import Credit, Movie, MovieGenre, MovieKeyword

LINKS = (MovieGenre, MovieKeyword, Credit)
OVERLAP = timedelta(minutes=2)  # a transaction may commit rows that are older than what was read before


@dataclass(frozen=True)
class CatalogueState:
    """How far the catalogue was read: changes beyond it are those still to be taken in."""

    n_movies: int
    last_movie: int
    updated_at: datetime
    last_links: tuple[int, ...] | None

    @classmethod
    def at(cls, timestamp: float) -> Self:
        """Nothing read, but what is older than `timestamp` is known."""
        return cls(0, 0, datetime.fromtimestamp(timestamp, tz=UTC), None)

    @classmethod
    def now(cls) -> Self:
        movies = Movie.objects.aggregate(count=Count("pk"), last=Max("pk"), updated_at=Max("updated_at"))
        links = tuple(model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in LINKS)
        never = datetime.fromtimestamp(0, tz=UTC)
        return cls(movies["count"], movies["last"] or 0, movies["updated_at"] or never, links)


@dataclass(frozen=True)
class Catalogue:
    ids: list[int]  # newest first
    changed: set[int]
    state: CatalogueState

    @classmethod
    def read(cls, *, since: CatalogueState) -> Self | None:
        """None when nothing changed, which takes four small queries."""
        state = CatalogueState.now()
        if state == since:
            return None
        changed = set(Movie.objects.filter(updated_at__gte=since.updated_at - OVERLAP).values_list("pk", flat=True))
        for model, last in zip(LINKS, since.last_links or (), strict=False):
            changed |= set(model._default_manager.filter(pk__gt=last).values_list("movie_id", flat=True))
        return cls(list(Movie.objects.newest().values_list("pk", flat=True)), changed, state)
