import pytest

from catalog.models import Movie
from tests.factories import MovieFactory
from tests.tmdb_fixtures import tmdb, tmdb_policy
from tests.wikidata_fixtures import wikidata

__all__ = ["tmdb", "tmdb_policy", "wikidata"]


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def mandatory(change_policy) -> None:
    """People confirm their address before they have an account."""
    change_policy("accounts", confirm_email="mandatory")
