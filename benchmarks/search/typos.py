"""Measures how many well-known titles with one wrong letter are found first."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from catalog.models import Movie, Source
from catalog.search.query import suggest

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def typo_rows(n_titles: int) -> list[dict[str, Any]]:
    movies = list(Movie.objects.filter(source=Source.MOVIELENS).order_by("-rating_count", "id")[:n_titles])
    return [_row(letter, edit, movies) for letter, edit in EDITS.items()]


def _row(letter: str, edit: Callable[[str, random.Random], str], movies: list[Any]) -> dict[str, Any]:
    rng = random.Random(letter)
    lost = []
    for movie in movies:
        typo = edit(movie.title, rng)
        if next((found.pk for found in suggest(typo)), None) != movie.pk:
            lost.append(f"{typo} ({movie.title})")
    return {"letter": letter, "titles": len(movies), "found first": len(movies) - len(lost), "not": "; ".join(lost)}


def _missing(title: str, rng: random.Random) -> str:
    at = _place(title, rng)
    return title[:at] + title[at + 1 :]


def _added(title: str, rng: random.Random) -> str:
    at = _place(title, rng)
    return title[:at] + rng.choice(LETTERS) + title[at:]


def _other(title: str, rng: random.Random) -> str:
    at = _place(title, rng)
    return title[:at] + rng.choice(LETTERS.replace(title[at].lower(), "")) + title[at + 1 :]


def _swapped(title: str, rng: random.Random) -> str:
    """Swaps two different adjacent letters. A title without such a pair is unchanged."""
    pairs = [title[at : at + 2] for at in range(len(title) - 1)]
    places = [at for at, (one, other) in enumerate(pairs) if f"{one}{other}".isalpha() and one.lower() != other.lower()]
    if not places:
        return title
    at = rng.choice(places)
    return title[:at] + title[at + 1] + title[at] + title[at + 2 :]


def _place(title: str, rng: random.Random) -> int:
    return rng.choice([at for at, letter in enumerate(title) if letter.isalnum()])


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "missing": _missing,
    "added": _added,
    "another": _other,
    "swapped": _swapped,
}
