"""What importers hand to the writers, whatever file it came from."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


@dataclass(slots=True)
class MovieRecord:
    """A movie of a data set. Without ids of other catalogues it is known by title and year."""

    title: str
    original_title: str = ""
    year: int | None = None
    release_date: date | None = None
    overview: str = ""
    language: str = ""
    movielens_id: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    genres: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()


class RatingRow(NamedTuple):
    """Ids as the file has them; `rated_at` in seconds since 1970."""

    user: int
    movie: int
    rating: float
    rated_at: int
