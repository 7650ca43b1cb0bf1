"""The site with TMDB enabled and a stand-in. Import these fixtures in a conftest."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import stamina

from tests.tmdb_stand_in import TOKEN, TMDBStandIn


@pytest.fixture
def tmdb(settings, tmdb_policy) -> Iterator[TMDBStandIn]:
    """The site uses a stand-in for TMDB without rate limit and pauses between attempts."""
    tmdb_policy(requests_per_second=1000)
    with TMDBStandIn() as stand_in, stamina.set_testing(True, attempts=6, cap=True):
        settings.TMDB_API_URL = stand_in.url
        settings.TMDB_READ_TOKEN = TOKEN
        yield stand_in


@pytest.fixture
def tmdb_policy(change_policy) -> Callable[..., None]:
    return partial(change_policy, "tmdb")
