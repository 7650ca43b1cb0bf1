"""Reads a Wikidata item as a movie. Attributes have the names listed in `ingest/fields`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.bounds import LARGEST_ID
from catalog.providers.commons import is_name
from catalog.providers.wikidata_documents import Entity, as_monolingual, as_text, item_number, value_of

IMDB_ID, TMDB_ID = "P345", "P4947"
DIRECTOR, CAST_MEMBER, CHARACTER_NAME = "P57", "P161", "P4633"
GENRE, SUBJECT, COUNTRY, LANGUAGE = "P136", "P921", "P495", "P364"
RELEASED, RUNTIME, TITLE, PICTURE = "P577", "P2047", "P1476", "P18"
TITLE_LENGTH, CHARACTER_LENGTH = 300, 200
IMDB_PATTERN = re.compile(r"tt\d{7,12}")


@dataclass(frozen=True, slots=True)
class Film:
    """A movie according to Wikidata. Lists keep the order of the statements.

    People, genres, subjects, countries and languages are numbers of items.
    """

    qid: int
    titles: Mapping[str, str]  # keyed by language
    original_title: str
    imdb_id: str | None
    tmdb_id: int | None
    year: int | None
    release_date: date | None
    runtime_minutes: int | None
    directors: Sequence[int]
    cast: Mapping[int, str]  # keyed by person, with the character's name, which is often missing
    genres: Sequence[int]
    subjects: Sequence[int]
    countries: Sequence[int]
    languages: Sequence[int]
    picture: str  # name of the file on Commons
    articles: Mapping[str, str]  # titles keyed by wiki

    @property
    def items(self) -> set[int]:
        """Returns all items whose labels are needed to describe the movie."""
        return {*self.directors, *self.cast, *self.genres, *self.subjects, *self.countries}


def read_film(entity: Entity) -> Film:
    year, release_date = _first_release(entity)
    return Film(
        qid=entity.qid,
        titles={language: text for language, text in entity.labels.items() if len(text) <= TITLE_LENGTH},
        original_title=_original_title(entity),
        imdb_id=_only(text for text in entity.texts(IMDB_ID) if IMDB_PATTERN.fullmatch(text)),
        tmdb_id=_only(number for text in entity.texts(TMDB_ID) if (number := _tmdb_id(text))),
        year=year,
        release_date=release_date,
        runtime_minutes=next(iter(entity.minutes(RUNTIME)), None),
        directors=entity.items(DIRECTOR),
        cast=_cast(entity),
        genres=entity.items(GENRE),
        subjects=entity.items(SUBJECT),
        countries=entity.items(COUNTRY),
        languages=entity.items(LANGUAGE),
        picture=next(filter(is_name, entity.texts(PICTURE)), ""),
        articles={wiki: title for wiki, title in entity.articles.items() if len(title) <= TITLE_LENGTH},
    )


def _first_release(entity: Entity) -> tuple[int | None, date | None]:
    """Returns the first year, and the first known day of that year. A later day belongs to another release."""
    times = entity.times(RELEASED)
    if not times:
        return None, None
    year = min(when.year for when in times)
    days = [when.day for when in times if when.day and when.year == year]
    return year, min(days, default=None)


def _original_title(entity: Entity) -> str:
    titles = (as_monolingual(value)[1] for value, _ in entity.values(TITLE, "monolingualtext"))
    return next((title for title in titles if title and len(title) <= TITLE_LENGTH), "")


def _only(values: Iterable[Any]) -> Any:
    """Returns the only value, or None if there are several, because one of them must belong to another movie."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _tmdb_id(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 10
    return int(text) if is_number and 0 < int(text) <= LARGEST_ID else None


def _cast(entity: Entity) -> dict[int, str]:
    """Returns the characters keyed by person. A person listed twice has both characters."""
    characters: dict[int, list[str]] = {}
    for value, qualifiers in entity.values(CAST_MEMBER, "wikibase-entityid"):
        if (person := item_number(value)) is not None:
            characters.setdefault(person, []).extend(_character_names(qualifiers))
    return {person: " / ".join(dict.fromkeys(names))[:CHARACTER_LENGTH] for person, names in characters.items()}


def _character_names(qualifiers: Mapping[str, Any]) -> list[str]:
    snaks = qualifiers.get(CHARACTER_NAME)
    texts = [as_text(value_of(snak, "string")) for snak in snaks] if isinstance(snaks, list) else []
    return [text for text in texts if text]
