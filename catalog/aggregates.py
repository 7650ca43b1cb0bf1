"""Rebuilds, checks and repairs values stored on movies and people: counts, sums, search columns, popularity."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from catalog.models import Movie, SearchTerm
from catalog.popularity import refresh_popularity, wrong_popularity
from catalog.progress import chunks
from catalog.search.index_maintenance import (
    forget_unused_terms,
    refresh_people,
    refresh_search,
    terms_of_movies,
    with_wrong_search,
    wrong_people,
)

BATCH = 1000


def rebuild_aggregates(movie_ids: Iterable[int] | None = None) -> int:
    """Recounts the ratings of these movies, or of all. Returns the number of movies that had a wrong count or sum.

    On Postgres this blocks new ratings, because an UPDATE that waits for a row would write the count of an older
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


def check_aggregates() -> dict[str, int]:
    """Returns the numbers of wrong values, without zeros.

    `figures`, `popularity` and `titles` count movies, `people` those with wrong search terms, and `terms` those missing
    from search. Reads every rating and title, and changes nothing.
    """
    known = set(SearchTerm.objects.values_list("term", flat=True))
    wrong = {"figures": _wrong_figures(), "popularity": wrong_popularity(), "titles": _wrong_titles()}
    wrong["people"] = wrong_people()
    wrong["terms"] = len(terms_of_movies() - known)
    return {what: n for what, n in wrong.items() if n}


def repair_aggregates() -> None:
    """Recomputes all stored values from ratings and titles."""
    rebuild_aggregates()
    refresh_popularity()
    refresh_search(Movie.objects.all())
    refresh_people()
    SearchTerm.objects.learn(terms_of_movies())
    forget_unused_terms()


def _wrong_figures() -> int:
    counted = Movie.objects.annotate(n=Count("ratings"), total=Coalesce(Sum("ratings__rating"), 0.0))
    return counted.exclude(rating_count=F("n"), rating_sum=F("total")).count()


def _wrong_titles() -> int:
    keys = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    return sum(len(with_wrong_search(Movie.objects.filter(pk__in=some))) for some in chunks(keys, BATCH))
