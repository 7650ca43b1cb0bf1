"""Figures stored on each movie (rating count and sum, popularity, search columns): refresh, check and repair."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.models import Movie, SearchTerm
from catalog.progress import chunks
from catalog.search.index_maintenance import forget_unused_terms, refresh_search, terms_of_movies, with_wrong_search

POPULARITY_TOLERANCE = 0.01  # relative change below which popularity is not rewritten
BATCH = 1000
DUE = timedelta(hours=2)  # popularity is refreshed hourly, so ratings since then are not an error yet


def rebuild_aggregates(movie_ids: Iterable[int] | None = None) -> int:
    """Recounts the ratings of these movies, or of all. Returns the number of movies that had a wrong figure.

    On Postgres this blocks new ratings: an UPDATE that waited for a row would write the count of its own older
    snapshot. SQLite has a single writer anyway.
    """
    chosen = "" if movie_ids is None else f"WHERE movie.id IN ({', '.join(str(int(pk)) for pk in movie_ids) or 'NULL'})"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE catalog_movie IN EXCLUSIVE MODE")
        cursor.execute(
            f"""
            UPDATE catalog_movie SET rating_count = fresh.n, rating_sum = fresh.total
            FROM (
                SELECT movie.id, COUNT(rating.id) AS n, COALESCE(SUM(rating.rating), 0) AS total
                FROM catalog_movie AS movie LEFT JOIN catalog_rating AS rating ON rating.movie_id = movie.id
                {chosen} GROUP BY movie.id
            ) AS fresh
            WHERE fresh.id = catalog_movie.id
              AND (catalog_movie.rating_count <> fresh.n OR catalog_movie.rating_sum <> fresh.total)
            """
        )
        return int(cursor.rowcount)


def refresh_popularity() -> int:
    """Sets each movie's popularity to the sum of 2^(-age / half-life) over its ratings. Returns how many changed.

    Age counts from the latest rating, not from today, so that a historical data set has popular movies too. The
    half-life is `popularity.half_life_days`. The exponent stops at -1000, before a double underflows. Changes below
    POPULARITY_TOLERANCE are skipped; otherwise every row would be rewritten each hour as the latest rating moves.
    """
    fresh, parameters = fresh_popularity()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE catalog_movie SET popularity = fresh.popularity FROM ({fresh}) AS fresh
            WHERE fresh.id = catalog_movie.id
              AND ABS(catalog_movie.popularity - fresh.popularity) > %s * fresh.popularity
            """,
            [*parameters, POPULARITY_TOLERANCE],
        )
        return int(cursor.rowcount)


def fresh_popularity() -> tuple[str, list[Any]]:
    """SQL for each movie's id and current popularity, with its parameters."""
    postgres = connection.vendor == "postgresql"
    age = (
        "EXTRACT(EPOCH FROM (latest.rated_at - rating.rated_at))::float8 / 86400"
        if postgres
        else "JULIANDAY(latest.rated_at) - JULIANDAY(rating.rated_at)"
    )
    larger = "GREATEST" if postgres else "MAX"
    return (
        f"""
        SELECT movie.id, COALESCE(rated.popularity, 0) AS popularity
        FROM catalog_movie AS movie LEFT JOIN (
            SELECT rating.movie_id, SUM(POWER(2.0, {larger}(-1000.0, -({age}) / %s))) AS popularity
            FROM catalog_rating AS rating, (SELECT MAX(rated_at) AS rated_at FROM catalog_rating) AS latest
            GROUP BY rating.movie_id
        ) AS rated ON rated.movie_id = movie.id
        """,
        [settings.POLICY.popularity.half_life_days],
    )


def check_aggregates() -> dict[str, int]:
    """Numbers of movies with wrong `figures`, `popularity` or `titles`, and of `terms` that search misses, above zero.

    Reads every rating and title; changes nothing.
    """
    known = set(SearchTerm.objects.values_list("term", flat=True))
    wrong = {"figures": _wrong_figures(), "popularity": _wrong_popularity(), "titles": _wrong_titles()}
    wrong["terms"] = len(terms_of_movies() - known)
    return {what: n for what, n in wrong.items() if n}


def repair_aggregates() -> None:
    """Recomputes everything from ratings and titles."""
    rebuild_aggregates()
    refresh_popularity()
    refresh_search(Movie.objects.all())
    SearchTerm.objects.learn(terms_of_movies())
    forget_unused_terms()


def _wrong_figures() -> int:
    counted = Movie.objects.annotate(n=Count("ratings"), total=Coalesce(Sum("ratings__rating"), 0.0))
    return counted.exclude(rating_count=F("n"), rating_sum=F("total")).count()


def _wrong_popularity() -> int:
    """Allows for the latest rating, from which age counts, having moved by up to `DUE` since the last refresh."""
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
    return sum(len(with_wrong_search(Movie.objects.filter(pk__in=some))) for some in chunks(keys, BATCH))
