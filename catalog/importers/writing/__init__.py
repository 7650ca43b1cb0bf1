"""Writes data sets in batches, each a short transaction; what is there already is left as it is."""

from catalog.importers.writing.movies import MovieWriter
from catalog.importers.writing.ratings import RatingWriter
from catalog.importers.writing.users import ensure_users

__all__ = ["MovieWriter", "RatingWriter", "ensure_users"]
