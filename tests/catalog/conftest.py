import pytest

from catalog.models import Movie
from tests.factories import MovieFactory
from tests.tmdb_fixtures import tmdb, tmdb_policy

__all__ = ["tmdb", "tmdb_policy"]


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Heat", year=1995)
