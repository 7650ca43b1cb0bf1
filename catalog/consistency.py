"""Whether what is kept on each movie says what ratings and titles do: figures, popularity, and what search reads."""

from dataclasses import dataclass, fields
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.models import Movie, SearchTerm
from catalog.search.upkeep import forget_unused_terms, refresh_search, terms_of_movies, with_wrong_search
from catalog.services import POPULARITY_TOLERANCE, fresh_popularity, rebuild_aggregates, refresh_popularity

BATCH = 1000
DUE = timedelta(hours=2)  # popularity is refreshed each hour: what was rated since is not wrong yet


@dataclass(frozen=True)
class Wrong:
    """How many movies say something else than they should, and how many terms search does not know."""

    figures: int
    popularity: int
    titles: int
    terms: int

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def check_aggregates() -> Wrong:
    """Reads every rating and every title; changes nothing."""
    known = set(SearchTerm.objects.values_list("term", flat=True))
    return Wrong(
        figures=_wrong_figures(),
        popularity=_wrong_popularity(),
        titles=_wrong_titles(),
        terms=len(terms_of_movies() - known),
    )


def repair_aggregates() -> None:
    """Takes everything anew from ratings and titles."""
    rebuild_aggregates()
    refresh_popularity()
    refresh_search(Movie.objects.all())
    SearchTerm.objects.learn(terms_of_movies())
    forget_unused_terms()


def _wrong_figures() -> int:
    counted = Movie.objects.annotate(n=Count("ratings"), total=Coalesce(Sum("ratings__rating"), 0.0))
    return counted.exclude(rating_count=F("n"), rating_sum=F("total")).count()


def _wrong_popularity() -> int:
    """Since the last refresh the latest rating, from which age counts, may have moved by as much as `DUE`."""
    fresh, parameters = fresh_popularity()
    moved = 1 - 2 ** (-DUE / timedelta(days=settings.POLICY.popularity.half_life_days))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT COUNT(*) FROM catalog_movie AS movie JOIN ({fresh}) AS fresh ON fresh.id = movie.id
            WHERE ABS(movie.popularity - fresh.popularity) > %s * (ABS(movie.popularity) + fresh.popularity)
              AND NOT EXISTS (
                SELECT 1 FROM catalog_rating AS rating WHERE rating.movie_id = movie.id AND rating.rated_at > %s
              )
            """,
            [*parameters, POPULARITY_TOLERANCE + moved, timezone.now() - DUE],
        )
        return int(cursor.fetchone()[0])


def _wrong_titles() -> int:
    keys = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    batches = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
    return sum(len(with_wrong_search(Movie.objects.filter(pk__in=batch))) for batch in batches)
