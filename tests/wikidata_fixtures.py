"""The site with Wikidata's stand-in. Import these fixtures in a conftest."""

from collections.abc import Iterator

import pytest
import stamina

from tests.wikidata_stand_in import WikidataStandIn


@pytest.fixture
def wikidata(settings, change_policy) -> Iterator[WikidataStandIn]:
    """The site uses a stand-in for Wikidata, with short pauses between requests and none between attempts."""
    change_policy("wikidata", pause_seconds=0.01)
    with WikidataStandIn(pause=0.01) as stand_in, stamina.set_testing(True, attempts=6, cap=True):
        settings.WIKIDATA_API_URL, settings.WIKIDATA_QUERY_URL = stand_in.api_url, stand_in.query_url
        settings.WIKIPEDIA_API_URL, settings.COMMONS_API_URL = stand_in.articles_url, stand_in.commons_url
        settings.WIKIDATA_CONTACT = "ops@example.org"
        yield stand_in
