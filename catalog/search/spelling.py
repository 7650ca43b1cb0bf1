"""Known terms one typing error away: a letter added, missing or replaced, or two swapped."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q

from catalog.models import SearchTerm

SHORTEST = 3  # almost all words of two letters are one letter apart


def near_terms(written: Iterable[str]) -> dict[str, list[str]]:
    """The known terms one letter away from each word, in one query.

    One wrong letter leaves the first or second half of the word intact, so both halves are looked up as prefixes. Only
    a swap across the middle changes both halves; it is looked up in corrected form.
    """
    near: dict[str, list[str]] = {word: [] for word in written}
    if looked_up := [word for word in near if len(word) >= SHORTEST]:
        terms = SearchTerm.objects.filter(reduce(or_, map(may_be_meant_by, looked_up)))
        found = sorted(terms.values_list("term", flat=True))
        near |= {word: [term for term in found if is_near(word, term)] for word in looked_up}
    return near


def may_be_meant_by(word: str) -> Q:
    half = len(word) // 2
    lengths = [len(word) - 1, len(word), len(word) + 1]
    swapped = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
    return (
        Q(length__in=lengths, term__startswith=word[:half])
        | Q(length__in=lengths, reversed__startswith=word[half:][::-1])
        | Q(length=len(word), term=swapped)
    )


def is_near(one: str, other: str) -> bool:
    """Whether they are one letter apart: `heat` is near `hat`, `heart`, `beat` and `haet`, not `heat` or `hate`."""
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
    """Length of the common prefix."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
