import pytest

from catalog.models import Movie
from tests.factories import MovieFactory
from tests.tmdb_fixtures import tmdb, tmdb_policy
from tests.wikidata_fixtures import wikidata

__all__ = ["tmdb", "tmdb_policy", "wikidata"]


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Heat", year=1995)
