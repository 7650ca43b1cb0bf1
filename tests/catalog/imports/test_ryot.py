"""Ryot's JSON: an invalid item does not affect other items."""

import pytest

from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.formats import read_upload
from tests.catalog.imports.site_files import as_json

ITEM = {
    "lot": "movie",
    "source": "tmdb",
    "source_id": "Heat",
    "identifier": "949",
    "seen_history": [{"state": "completed"}],
    "reviews": [],
    "collections": [],
}


def read(*items) -> list[ParsedRow]:
    return read_upload(format="ryot", name="ryot.json", content=as_json({"metadata": [ITEM, *items]})).rows


@pytest.mark.parametrize(
    "details",
    [
        {"seen_history": "completed"},
        {"seen_history": [None, 1, {}]},
        {"seen_history": [], "collections": ["Watchlist"], "reviews": None},
    ],
)
def test_what_says_nothing_is_left_out(details):
    assert [row.title for row in read(ITEM | {"source_id": "Ran"} | details)] == ["Heat"]


def test_a_bad_number_costs_the_number():
    _, row = read(ITEM | {"source_id": "Ran", "identifier": "9" * 30, "reviews": [{"rating": "80", "review": None}]})

    assert (row.title, row.tmdb_id, row.rating, row.recorded_at, len(row.ignored)) == ("Ran", None, 4, None, 1)


def test_a_movie_may_be_seen_and_wanted_again():
    listed = [{"collection_name": "Watchlist", "created_on": "2024-03-04T08:00:00Z"}]
    _, seen, wanted = read(ITEM | {"collections": listed})

    assert (seen.kind, seen.recorded_at) == (Kind.WATCHED, None)
    assert (wanted.kind, str(wanted.recorded_at)) == (Kind.WANTED, "2024-03-04 08:00:00+00:00")
