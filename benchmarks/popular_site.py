"""The sites of benchmarks.popular, and attacks on their popular lists. Every attack is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.core.management import call_command
from django.db import transaction

from benchmarks.tables import Row
from catalog.models import Movie, Rating, User
from catalog.popularity import popularity_now, refresh_popularity

TOP = 50
BURST = 10_000  # ratings of one account
FRESH_PEOPLE = 1000
LATE_PEOPLE, LATE_RATINGS = 3, 12
LATE = datetime(2026, 6, 1, tzinfo=UTC)
FUTURE = datetime(2099, 1, 1, tzinfo=UTC)
SPREADS = {"at once": 0, "over three years": 1000, "ten years ago": None}


class _UndoError(Exception):
    """Raised to roll back a transaction."""


def create(command: str, *arguments: str) -> None:
    """Creates the site's data, and adds unrated movies so that there are more than one account rates."""
    call_command("migrate", verbosity=0)
    for model in (Rating, Movie, User):
        model.objects.all().delete()
    call_command(command, *arguments, verbosity=0)
    n_missing = BURST + 2 * TOP - Movie.objects.count()
    Movie.objects.bulk_create([Movie(title=f"Unrated {n}") for n in range(n_missing)], batch_size=1000)


def attacks() -> list[Row]:
    """Returns one row per attack, with its figure and whether the target is met."""
    before, popularities, now = _ranked(), _popularities(), popularity_now()
    assert now is not None
    rows = [
        _row(f"10,000 ratings, {name}: new in the top 50", _burst(before, now, days), 0)
        for name, days in SPREADS.items()
    ]
    rows.append(_row("one rating of 2099: popularities changed", _wrong_clock(before, popularities), 0))
    rows.append(_row("three late people: their movies in the top 10", _late_people(before), 0))
    rows.append(_row("rank of what 1,000 fresh people like", _fresh_people(before, now), 1, TOP))
    return rows


def _row(attack: str, figure: int, low: int, high: int | None = None) -> Row:
    is_met = low <= figure <= (low if high is None else high)
    bar = f"{low}" if high is None else f"{low} to {high}"
    return {"attack": attack, "figure": figure, "bar": bar, "bar met": "yes" if is_met else "no"}


def _burst(before: list[int], now: datetime, over_days: int | None) -> int:
    """Returns how many movies one account moves into the top by liking everything else."""
    others = [*Movie.objects.exclude(pk__in=before).values_list("pk", flat=True), *reversed(before[TOP:])][-BURST:]
    begin, step = now, timedelta(0)
    if over_days is None:
        begin = now - timedelta(days=3650)
    else:
        step = timedelta(days=over_days) / len(others)

    def attack() -> int:
        account = User.objects.create(username="burst")
        _rate((account, movie, begin - step * place) for place, movie in enumerate(reversed(others)))
        return len(set(_ranked()[:TOP]) - set(before[:TOP]))

    return _undone(attack)


def _wrong_clock(before: list[int], popularities: dict[int, float]) -> int:
    """Returns how many movies have changed their popularity."""

    def attack() -> int:
        _rate([(User.objects.create(username="clock"), before[TOP], FUTURE)])
        _ranked()
        found = _popularities()
        return sum(found[movie] != popularities[movie] for movie in popularities)

    return _undone(attack)


def _late_people(before: list[int]) -> int:
    """Returns how many movies that only three people currently like lead the list."""
    others = before[-LATE_PEOPLE * LATE_RATINGS :]

    def attack() -> int:
        people = [User.objects.create(username=f"late{n}") for n in range(LATE_PEOPLE)]
        _rate((people[n % LATE_PEOPLE], movie, LATE) for n, movie in enumerate(others))
        _rate((people[1], others[n], LATE) for n in range(0, len(others), LATE_PEOPLE))  # two likes each
        return len(set(_ranked()[:10]) & set(others))

    return _undone(attack)


def _fresh_people(before: list[int], now: datetime) -> int:
    chosen = before[-1]

    def attack() -> int:
        people = [User(username=f"fresh{n}") for n in range(FRESH_PEOPLE)]
        _rate((person, chosen, now) for person in User.objects.bulk_create(people))
        return _ranked().index(chosen) + 1

    return _undone(attack)


def _rate(rows: Iterable[tuple[User, int, datetime]]) -> None:
    ratings = (Rating(user=user, movie_id=movie, rating=5.0, rated_at=moment) for user, movie, moment in rows)
    Rating.objects.bulk_create(ratings, batch_size=1000)


def _ranked() -> list[int]:
    """Returns all liked movies, most popular first. Computes popularity in full."""
    Movie.objects.update(popularity=0)
    refresh_popularity()
    return list(Movie.objects.filter(popularity__gt=0).order_by("-popularity", "id").values_list("pk", flat=True))


def _popularities() -> dict[int, float]:
    return dict(Movie.objects.values_list("pk", "popularity"))


def _undone(attack: Callable[[], int]) -> int:
    found: list[int] = []
    with suppress(_UndoError), transaction.atomic():
        found.append(attack())
        raise _UndoError
    return found[0]
