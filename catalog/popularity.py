"""Computes how popular each movie is now, from recent likes and a prior of all its likes.

The formula, its source and its constants are those of `recommender.estimators.popularity`, implemented in SQL over the
ratings of active users. A test compares the two.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from catalog.models import Rating
from catalog.models.rating import CLOCK_TOLERANCE

PRIOR_LIKES = 200.0
CHANCE_LIKES = 2.0
PERSON_RATINGS = 500.0
CLOCK_PEOPLE = 3
CLOCK_LEAD = timedelta(days=30)
TOLERANCE = 0.01  # relative change below which popularity is not rewritten
DUE = timedelta(hours=2)  # popularity is refreshed hourly, so it may not include newer ratings
OLDEST = -1000.0  # half-lives; 2 to this power is still a positive double


def popularity_now() -> datetime | None:
    """Returns the time from which ages are measured: the latest rating. Old data sets thus have popular movies too.

    A few wrong clocks cannot shift it. It is at most CLOCK_LEAD after the CLOCK_PEOPLE-th latest of all users' last
    ratings, and not in the future.
    """
    rows = Rating.objects.for_training().filter(rated_at__lte=timezone.now() + CLOCK_TOLERANCE)
    last_rated: dict[int, datetime] = {}
    while len(last_rated) < CLOCK_PEOPLE:  # uses the index; grouping all ratings by user would take seconds
        others = rows.exclude(user__in=list(last_rated)).order_by("-rated_at", "-id")
        latest = others.values_list("user_id", "rated_at").first()
        if latest is None:
            break
        last_rated |= [latest]
    if not last_rated:
        return None
    until = min(last_rated.values()) + CLOCK_LEAD
    return rows.filter(rated_at__lte=until).order_by().aggregate(latest=Max("rated_at"))["latest"]


def refresh_popularity() -> int:
    """Sets each movie's popularity by the formula above. Returns how many changed.

    Skips changes below TOLERANCE. Otherwise every row would be rewritten each hour.
    """
    fresh, parameters = _fresh()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE catalog_movie SET popularity = fresh.popularity FROM ({fresh}) AS fresh
            WHERE fresh.id = catalog_movie.id
              AND ABS(catalog_movie.popularity - fresh.popularity) > %s * fresh.popularity
            """,
            [*parameters, TOLERANCE],
        )
        return int(cursor.rowcount)


def wrong_popularity() -> int:
    """Returns the number of movies with a wrong popularity, allowing for changes since the last refresh."""
    fresh, parameters = _fresh()
    moved = 1 - 2 ** (-DUE / timedelta(days=settings.POLICY.popularity.half_life_days))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT COUNT(*) FROM catalog_movie AS movie JOIN ({fresh}) AS fresh ON fresh.id = movie.id
            WHERE ABS(movie.popularity - fresh.popularity) > %s * (ABS(movie.popularity) + fresh.popularity)
              AND movie.id NOT IN (
                SELECT movie_id FROM catalog_rating WHERE user_id IN (
                    SELECT user_id FROM catalog_rating WHERE rated_at > %s
                )
              )
            """,
            [*parameters, TOLERANCE + moved, timezone.now() - DUE],
        )
        return int(cursor.fetchone()[0])


def _fresh() -> tuple[str, list[Any]]:
    """Returns SQL for each movie's id and current popularity, with its parameters."""
    now, liked_from = popularity_now(), settings.POLICY.popularity.liked_from
    if now is None:
        return "SELECT id, 0.0 AS popularity FROM catalog_movie", []
    least, greatest = ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")
    moment, latest = (connection.ops.adapt_datetimefield_value(at) for at in (now, timezone.now() + CLOCK_TOLERANCE))
    return (
        f"""
        WITH rated AS (
            SELECT rating.user_id, rating.movie_id, rating.rating, CASE WHEN rating.rated_at > %s THEN 0.0
                   ELSE POWER(2.0, {greatest}({OLDEST}, -({_days_before()}) / %s)) END AS recency
            FROM catalog_rating AS rating JOIN catalog_user AS person ON person.id = rating.user_id
            WHERE person.is_active AND rating.rated_at <= %s
        ), people AS (
            SELECT user_id, POWER({PERSON_RATINGS} / {greatest}({PERSON_RATINGS}, SUM(1.0)), 2) AS weight
            FROM rated GROUP BY user_id
        ), liked AS (
            SELECT rated.movie_id, SUM(rated.recency * people.weight) AS current, SUM(people.weight) AS ever
            FROM rated JOIN people ON people.user_id = rated.user_id WHERE rated.rating >= %s GROUP BY rated.movie_id
        )
        SELECT movie.id, COALESCE(
            {greatest}(0.0, liked.current - {CHANCE_LIKES}) + liked.ever * {least}(1.0, {PRIOR_LIKES} / total.ever), 0.0
        ) AS popularity
        FROM catalog_movie AS movie LEFT JOIN liked ON liked.movie_id = movie.id,
             (SELECT SUM(ever) AS ever FROM liked) AS total
        """,
        [moment, moment, settings.POLICY.popularity.half_life_days, latest, liked_from or 0.0],
    )


def _days_before() -> str:
    if connection.vendor == "postgresql":
        return "EXTRACT(EPOCH FROM (CAST(%s AS timestamptz) - rating.rated_at))::float8 / 86400"
    return "JULIANDAY(%s) - JULIANDAY(rating.rated_at)"
