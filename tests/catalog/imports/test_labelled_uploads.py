"""Imports hundreds of labelled rows. Nearly all of the catalogue's movies must be found, and none wrongly."""

import pytest

from catalog.imports.formats import read_upload
from catalog.imports.matching import match_rows
from catalog.models import Movie
from tests.catalog.imports.labelled_uploads import Line, catalogue, lines
from tests.catalog.imports.site_files import table

pytestmark = pytest.mark.django_db

FOUND_AT_LEAST = 0.97


def matched(asked: list[Line]) -> list[tuple[str, int] | None]:
    """The movie that each row matches."""
    Movie.objects.bulk_create(
        Movie(
            title=movie.title,
            year=movie.year,
            original_title=movie.other,
            imdb_id=movie.imdb_id or None,
            tmdb_id=int(movie.tmdb_id) if movie.tmdb_id else None,
        )
        for movie in catalogue()
    )
    names = {movie.pk: (movie.title, movie.year) for movie in Movie.objects.all()}
    values = [[line.title, line.year, line.imdb_id, line.tmdb_id, 4] for line in asked]
    content = table(["title", "year", "imdb_id", "tmdb_id", "rating"], *values)
    rows = read_upload(format="csv", name="mine.csv", content=content).rows
    return [names.get(match.movie_id) for match in match_rows(rows)]


def test_labelled_lines_of_an_upload_match_correctly():
    asked = lines()
    found = list(zip(asked, matched(asked), strict=True))
    in_catalogue = [pair for pair in found if pair[0].meant]
    missed = [pair for pair in in_catalogue if not pair[1]]

    assert len(asked) >= 450
    assert [pair for pair in found if pair[1] and pair[1] != pair[0].meant] == []
    assert len(missed) <= (1 - FOUND_AT_LEAST) * len(in_catalogue), missed
