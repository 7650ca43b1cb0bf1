"""WeTrakr's dates, in JavaScript's format, and invalid dates."""

from datetime import UTC, datetime

import pytest

from catalog.imports.formats import read_upload
from catalog.models.reasons import Code
from tests.catalog.imports.site_files import table

HEADER = ["title", "year", "type", "tmdb_id", "imdb_id", "rating", "rated_at"]


def rated(on: str):
    content = table(HEADER, ["Heat", 1995, "movie", 949, "tt0113277", 8, on])
    return read_upload(format="wetrakr", name="ratings.csv", content=content).rows[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Wed Mar 21 2018 03:42:00 GMT+0000 (Coordinated Universal Time)", datetime(2018, 3, 21, 3, 42, tzinfo=UTC)),
        ("Wed Mar 21 2018 03:42:00 GMT+0700 (Indochina Time)", datetime(2018, 3, 20, 20, 42, tzinfo=UTC)),
        ("Sun September 2 2018 03:42:00 GMT-0130", datetime(2018, 9, 2, 5, 12, tzinfo=UTC)),
        ("2018-03-21T03:42:00Z", datetime(2018, 3, 21, 3, 42, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_moment_of_its_time_zone(text, moment):
    assert rated(text).recorded_at == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "Wed Xyz 21 2018 03:42:00 GMT+0000", "Wed Feb 31 2018 03:42:00 GMT+9999"]
)
def test_what_is_no_date_costs_the_date(text):
    row = rated(text)

    assert (row.rating, row.recorded_at, row.ignored[0].code) == (4, None, Code.NOT_A_DATE)
