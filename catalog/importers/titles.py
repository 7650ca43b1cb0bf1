"""MovieLens' titles: `City of Lost Children, The (Cité des enfants perdus, La) (1995)`."""

import re
from typing import NamedTuple

_YEAR = re.compile(r"\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_GROUP = re.compile(r"^(?P<title>.*\S)\s+\((?P<group>[^()]+)\)$")
_ALSO = re.compile(r"^a\.?k\.?a\.? ", re.IGNORECASE)
_NOT_A_TITLE = re.compile(r"^([0-9]{1,4}|(part|vol|volume|episode|chapter)\b.*)$", re.IGNORECASE)
ARTICLES = (
    "The A An La Le Les L' Un Une Il Lo Gli I Uno Una El Los Las Der Die Das Den Det De Een Het Ein Eine En Et Ett O Os"
)
_INVERTED = re.compile(rf"^(?P<title>.+), (?P<article>{'|'.join(ARTICLES.split())})$")


class Title(NamedTuple):
    title: str
    original_title: str
    year: int | None


def parse_title(text: str) -> Title:
    """Title, the other title given in brackets (empty if none), and year; what is no year stays in the title."""
    text = text.strip()
    year = None
    if (found := _YEAR.search(text)) and 1870 <= int(found[1]) <= 2200 and found.start() > 0:
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


def article_first(title: str) -> str:
    found = _INVERTED.match(title.strip())
    if not found:
        return title.strip()
    article = found["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{found['title']}"
