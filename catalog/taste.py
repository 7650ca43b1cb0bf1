"""Statistics of a user's taste from their ratings and viewings, compared with all users."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, Sum
from django.db.models.functions import NullIf, TruncMonth

from catalog.models import Credit, Movie, User

Share = tuple[str, float, float]  # a label, the percentage of all users, and that of the user

EVERYBODY_SECONDS = 3600  # all users' shares change slowly, and counting them reads every movie
MONTHS = 24
SHOWN = 12
ENOUGH = 2  # minimum number of movies per person


def summary(user: User) -> dict[str, Any]:
    """Returns the number and mean of the user's ratings, and the mean of these movies' mean ratings."""
    others = Avg(F("movie__rating_sum") / NullIf(F("movie__rating_count"), 0))
    return user.ratings.aggregate(n=Count("pk"), mean=Avg("rating"), others=others)


def favourite_genres(user: User, most: int = 3) -> list[str]:
    """Returns the genres that the user rated most often."""
    return [name for name, _ in Counter(_by(user, "movie__genres__name")).most_common(most)]


def decades(user: User) -> list[Share]:
    """Returns the shares by decade, in chronological order."""
    return sorted(_shares(_in_decades(_by(user, "movie__year")), _in_decades(_everybody("year"))))


def genres(user: User) -> list[Share]:
    return _largest(_shares(_by(user, "movie__genres__name"), _everybody("genres__name")))


def languages(user: User) -> list[Share]:
    return _largest(_shares(_by(user, "movie__language"), _everybody("language")))


def people(user: User, role: str) -> list[dict[str, Any]]:
    """Returns the people in most rated movies: `person_id`, `person__name`, `n` and the user's `mean` rating."""
    credits = Credit.objects.filter(role=role, movie__ratings__user=user).order_by()
    rows: Any = credits.values("person_id", "person__name").annotate(n=Count("pk"), mean=Avg("movie__ratings__rating"))
    return list(rows.filter(n__gte=ENOUGH).order_by("-n", "-mean", "person_id")[:SHOWN])


def months(user: User, today: date) -> list[tuple[date, int, int]]:
    """Returns the latest months, oldest first, with the numbers of movies watched and rated.

    Starts with the first month that has any.
    """
    watched = _by_month(user.viewings.exclude(watched_on=None), "watched_on")
    rated = _by_month(user.ratings.all(), "rated_at")
    last = 12 * today.year + today.month - 1
    latest = [date(at // 12, at % 12 + 1, 1) for at in range(last - MONTHS + 1, last + 1)]
    found = [(month, watched[month], rated[month]) for month in latest]
    first = next((at for at, (_, *counts) in enumerate(found) if any(counts)), len(found))
    return found[first:]


def _by_month(rows: Any, field: str) -> Counter[date]:
    counted = rows.order_by().annotate(month=TruncMonth(field)).values_list("month").annotate(Count("pk"))
    return Counter({date(month.year, month.month, 1): n for month, n in counted})


def _by(user: User, field: str) -> dict[Any, int]:
    """Counts the user's ratings by a field of the movie, without empty values."""
    rows = user.ratings.order_by().values_list(field).annotate(Count("pk"))
    return {value: n for value, n in rows if value}


def _everybody(field: str) -> dict[Any, int]:
    """Counts all ratings by a field of the movie."""

    def count() -> dict[Any, int]:
        rows = Movie.objects.order_by().values_list(field).annotate(Sum("rating_count"))
        return {value: n for value, n in rows if value}

    return cache.get_or_set(f"taste:{field}", count, EVERYBODY_SECONDS) or {}


def _in_decades(by_year: dict[int, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for year, n in by_year.items():
        found[f"{year // 10 * 10}s"] += n
    return found


def _shares(mine: dict[Any, int], everybody: dict[Any, int]) -> list[Share]:
    """Returns percentages for the values that the user has."""
    n, n_all = sum(mine.values()), sum(everybody.values())
    return [(str(key), 100 * everybody.get(key, 0) / (n_all or 1), 100 * mine[key] / n) for key in mine]


def _largest(shares: Iterable[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share[2], share[0]))[:SHOWN]
