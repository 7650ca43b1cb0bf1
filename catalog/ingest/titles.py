"""Parses titles in MovieLens' format, and normalises variants of the same title."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.text import fold

_YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_GROUP = re.compile(r"^(?P<title>.*\S)\s+\((?P<group>[^()]+)\)$")
_BRACKETS = re.compile(
    r"\(\s*(?!(?:part|vol|volume|episode|chapter)\b(?!\s*(?:1|i|one)\s*\))|\d+\s*\)|[iv]+\s*\))[^()]*\)", re.IGNORECASE
)
_ALSO = re.compile(r"^a\.?k\.?a\.? ", re.IGNORECASE)
_NOT_A_TITLE = re.compile(r"^([0-9]{1,4}|(part|vol|volume|episode|chapter)\b.*)$", re.IGNORECASE)
ARTICLES = (
    "The A An La Le Les L' Un Une Il Lo Gli I Uno Una El Los Las Der Die Das Den Det De Een Het Ein Eine En Et Ett O Os"
)
_INVERTED = re.compile(rf"^(?P<title>.+), (?P<article>{'|'.join(ARTICLES.split())})$")
_ARTICLES = frozenset(article.casefold().rstrip("'") for article in ARTICLES.split())
_SAME = {
    "dr": "doctor", "mr": "mister", "st": "saint", "vol": "volume", "pt": "part", "no": "number",
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
}  # fmt: skip
_SIGNS = str.maketrans(
    {"&": " and ", "+": " and ", "#": " number ", "½": " 1/2", "Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe"}
)
_EPISODE = re.compile(r"^(?P<series>.+): Episode [IVX\d]+ - (?P<title>.+)$", re.IGNORECASE)


class Title(NamedTuple):
    title: str
    original_title: str
    year: int | None


def parse_title(text: str) -> Title:
    """Parses `City of Lost Children, The (Cité des enfants perdus, La) (1995)`. original_title may be empty."""
    text = text.strip()
    year = None
    if (found := _YEAR.search(text)) and FIRST_YEAR <= int(found[1]) <= LAST_YEAR and found.start() > 0:
        year, text = int(found[1]), text[: found.start()]
    others: list[str] = []
    while (
        (found := _GROUP.match(text)) and not _NOT_A_TITLE.match(found["group"]) and not found["title"].endswith(" Or")
    ):
        text = found["title"]
        others.insert(0, found["group"])
    others.sort(key=lambda other: _ALSO.match(other) is not None)
    original = article_first(_ALSO.sub("", others[0])) if others else ""
    return Title(article_first(text), original, year)


class Reading(NamedTuple):
    """An interpretation of a title."""

    title: str
    year: int | None


def readings(text: str) -> Iterator[Reading]:
    """Yields other interpretations of a title: in MovieLens' format, and without its brackets.

    Text in brackets is a version, a country or another film, so it is not treated as a title. Part numbers are kept.
    """
    found = _YEAR.search(text)
    year, title = (int(found[1]), text[: found.start()]) if found and found.start() else (None, text)
    without = " ".join(_BRACKETS.sub(" ", title).split())
    meant = dict.fromkeys(Reading(article_first(reading), year) for reading in (title, without) if reading)
    yield from (reading for reading in meant if reading != (text, None))


def article_first(title: str) -> str:
    found = _INVERTED.match(title.strip())
    if not found:
        return title.strip()
    article = found["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{found['title']}"


class Name(NamedTuple):
    """A normalised title in three forms. Equal `exact` or `words` imply equal `loose`."""

    exact: str
    words: str
    loose: str

    @classmethod
    def of(cls, title: str) -> "Name":
        exact = " ".join(title.casefold().split())
        words = fold(article_first(title).translate(_SIGNS)).split()
        if len(words) > 1:  # Nine and 9 are different movies of 2009
            words = [_SAME.get(word, word) for word in words]
        without_article = words[1:] if len(words) > 1 and words[0] in _ARTICLES else words
        return cls(exact, " ".join(words) or exact, "".join(without_article) or exact)


def also_called(title: str) -> Iterator[str]:
    """Yields alternative names. `Star Wars: Episode IV - A New Hope` is also known by its series and by its episode."""
    if found := _EPISODE.match(title):
        yield found["series"]
        yield found["title"]
