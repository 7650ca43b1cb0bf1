"""Chooses the look of a movie's poster.

Genre, decade and the words of the title determine the possible motifs (themes.toml and art.toml). A hash of the movie
chooses one.
"""

import hashlib
import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.posters.lettering import Style
from catalog.posters.shapes import Palette


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


_LOOKS, ART = _read("themes.toml"), _read("art.toml")
GENRES: dict[str, dict[str, str]] = _LOOKS["genres"]
EMBLEMS: dict[str, dict[str, str]] = ART["emblems"]
PALETTES = {name: Palette(*colours.split()) for name, colours in _LOOKS["palettes"].items()}
GROUNDS = [*ART["grounds"], "rays", "stripes", "dots", "blinds", "tiles", "contours"]


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(words.replace('*', '[^ ]*').split())})\b", re.IGNORECASE)


_CALLS_FOR = {name: _any_of(emblem["words"]) for name, emblem in EMBLEMS.items()}


@dataclass(frozen=True)
class Look:
    """The components of a poster. Posters with the same look differ only in their title."""

    layout: str
    picture: str
    ground: str
    palette: str


def telling_genre(genres: Sequence[str]) -> str:
    """Returns the most specific of a movie's genres, in the movie's spelling."""
    by_name = {_LOOKS["synonyms"].get(genre, genre): genre for genre in genres}
    return next((by_name[name] for name in GENRES if name in by_name), genres[0] if genres else "")


def look_of(*, title: str, year: int | None, genres: Sequence[str] = (), language: str = "") -> Look:
    rng = seeded(title, year, genres, language)
    genre = telling_genre(genres)
    theme = GENRES.get(_LOOKS["synonyms"].get(genre, genre), _LOOKS["plain"])
    called_for = [name for name, words in _CALLS_FOR.items() if words.search(title)]
    draws_emblem = rng.random() < (0.85 if called_for else 0.45)
    picture = rng.choice((called_for or theme["emblems"].split()) if draws_emblem else theme["scenes"].split())
    ground = rng.choice(GROUNDS) if picture in EMBLEMS else ""
    return Look(rng.choice(_decade(year)["layouts"].split()), picture, ground, rng.choice(theme["palettes"].split()))


def seeded(*parts: object) -> random.Random:
    return random.Random(hashlib.sha256("|".join(map(str, parts)).encode()).digest())


def style_of(year: int | None) -> Style:
    return Style(**{key: value for key, value in _decade(year).items() if key not in ("from", "layouts")})


def _decade(year: int | None) -> dict[str, Any]:
    return [decade for decade in _LOOKS["decades"] if decade["from"] <= (year or 2000)][-1]
