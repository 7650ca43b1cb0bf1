"""Movies by their titles: the one way to find them for pages, suggestions, API and admin alike.

Case, accents and punctuation never count, nor does a missing space; the last word may be unfinished. Where hardly a
movie holds the words as they are written, those one letter away are looked for too.
"""

from catalog.models import Movie
from catalog.querysets import MovieQuerySet
from catalog.search.meaning import MOST, Meaning

__all__ = ["MOST", "Meaning", "suggest"]

SUGGESTED = 8


def suggest(text: str) -> MovieQuerySet:
    """What somebody may be looking for who has written so far, best first."""
    meaning = Meaning(text)
    keys = meaning.best_known(Movie.objects.all(), SUGGESTED)
    return Movie.objects.filter(pk__in=keys).order_by(*meaning.order())[:SUGGESTED]
