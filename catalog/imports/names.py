"""Spellings of a title that are taken for the same, from strict to loose."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from catalog.importers.titles import ARTICLES, article_first
from catalog.text import fold

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


class Name(NamedTuple):
    """`loose` is equal wherever one of the others is."""

    exact: str
    words: str
    loose: str

    @classmethod
    def of(cls, title: str) -> "Name":
        exact = " ".join(title.casefold().split())
        words = fold(article_first(title).translate(_SIGNS)).split()
        if len(words) > 1:  # Nine and 9 are two movies of 2009
            words = [_SAME.get(word, word) for word in words]
        without_article = words[1:] if len(words) > 1 and words[0] in _ARTICLES else words
        return cls(exact, " ".join(words) or exact, "".join(without_article) or exact)


def also_called(title: str) -> Iterator[str]:
    """`Star Wars: Episode IV - A New Hope` goes by the names of the series and of the episode too."""
    if found := _EPISODE.match(title):
        yield found["series"]
        yield found["title"]
