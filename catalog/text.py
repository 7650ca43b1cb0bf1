"""Text normalisation: visible characters, and folding for search, which ignores case, accents and punctuation."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import import_module

# Letters that Unicode does not decompose into a base letter and a mark.
_PLAIN = str.maketrans(
    {"đ": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t"}
)
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol that render as blank
_ARTICLES = ("the ", "a ", "an ")
NAME_MARK = "="
TERM_LENGTH = 200


def fold(text: str) -> str:
    """Folds text: `Người Nhện: Xa Nhà` -> `nguoi nhen xa nha`. Text without letters or digits becomes empty."""
    plain = text.casefold()
    # decomposed twice, because some symbols become capitals and some lower-case letters become several letters
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"[\W_]+", " ", plain).strip()


def skeleton(name: str) -> str:
    """Returns the skeleton of a name as defined by Unicode's report 39. Look-alike names have the same skeleton.

    `nora` in Cyrillic letters has that of `Nora`. `m` and `rn` share one, and so do `1` and `l`.
    """
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFD", "".join(map(_prototype, decomposed)))


def _prototype(letter: str) -> str:
    """Returns the representative of a letter's look-alikes, which is the one that lists several."""
    alike = _look_alikes().get(letter, ())
    if len(alike) != 1:
        return letter
    [other] = (entry["c"] for entry in alike)
    return other if len(_look_alikes()[other]) > 1 else min(letter, other)


@cache
def _look_alikes() -> dict[str, list[dict[str, str]]]:
    # loaded only by processes that create accounts, because it takes 50 ms and 18 MB
    data: dict[str, list[dict[str, str]]] = import_module("confusable_homoglyphs.confusables").confusables_data
    return data


def visible(text: str) -> str:
    """Strips the text. Returns "" if none of its characters is visible."""
    is_seen = (unicodedata.category(letter)[0] in "LNPS" and letter not in _BLANK for letter in text)
    return text.strip() if any(is_seen) else ""


def whole_name(folded: str) -> str:
    """Returns the term for a full name, with its words joined: `toy story` -> `=toystory`."""
    return f"{NAME_MARK}{folded.replace(' ', '')}"[:TERM_LENGTH]


def search_terms(names: Iterable[str]) -> str:
    """Returns the search terms of these names: each full name with and without its article, and all words.

    `The Matrix` -> ` =thematrix =matrix the matrix `. Terms are surrounded by spaces for exact matches.
    """
    terms: dict[str, None] = {}
    for name in names:
        if not (folded := fold(name)):
            continue
        terms[whole_name(folded)] = None
        for article in _ARTICLES:
            if folded.startswith(article):
                terms[whole_name(folded.removeprefix(article))] = None
        terms |= dict.fromkeys(word[:TERM_LENGTH] for word in folded.split())
    return f" {' '.join(terms)} " if terms else ""


def is_near(one: str, other: str) -> bool:
    """Returns whether two words are one edit apart: `heat` and `hat`, `heart`, `beat` or `haet`, but not `hate`."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = _same_letters(one, other)
    one, other = one[start:], other[start:]
    end = _same_letters(one[::-1], other[::-1])
    one, other = one[: len(one) - end], other[: len(other) - end]
    if len(one) <= 1 and len(other) <= 1:
        return bool(one or other)
    return len(one) == 2 and one == other[::-1]


def _same_letters(one: str, other: str) -> int:
    """Returns the length of the common prefix."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
