"""Movies by their titles: the one way to find them for pages, suggestions, API and admin alike.

Case, accents and punctuation never count, nor does a missing space; the last word may be unfinished. Where hardly a
movie holds the words as they are written, those one letter away are looked for too.
"""

from catalog.models import Movie
from catalog.querysets import MovieQuerySet
from catalog.search.meaning import MOST, Meaning

__all__ = ["MOST", "Meaning", "search", "suggest"]

SUGGESTED = 8


def search(movies: MovieQuerySet, text: str) -> MovieQuerySet:
    """Best first."""
    meaning = Meaning(text)
    return movies.filter(pk__in=meaning.best_known(movies)).order_by(*meaning.order())


def suggest(text: str) -> MovieQuerySet:
    """What somebody may be looking for who has written so far."""
    return search(Movie.objects.all(), text)[:SUGGESTED]
