from datetime import UTC, date, datetime

import pytest

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from catalog.models.reasons import describe
from tests.catalog.imports.site_files import as_json, trakt_movie, zipped

HEAT = trakt_movie("Heat", 1995, "tt0113277", 949)
RAN = trakt_movie("Ran", 1985)


def read(content: bytes, name: str = "trakt.json") -> list[ParsedRow]:
    return read_upload(format="trakt", name=name, content=content).rows


def test_ratings_history_and_watchlist_of_one_file():
    rated, first, second, wanted = read(
        as_json(
            {
                "ratings": [{"rated_at": "2020-09-01T09:10:11.000Z", "rating": 7, "type": "movie", "movie": HEAT}],
                "history": [
                    {"id": 2, "watched_at": "2021-03-31T23:28:53.000Z", "action": "scrobble", "movie": RAN},
                    {"id": 1, "watched_at": "2014-03-31T09:28:53.000Z", "action": "watch", "movie": RAN},
                ],
                "watchlist": [{"rank": 1, "listed_at": "2022-01-31T00:00:00.000Z", "type": "movie", "movie": HEAT}],
            }
        )
    )

    assert (rated.kind, rated.rating, rated.imdb_id, rated.tmdb_id) == ("rated", 3.5, "tt0113277", 949)
    assert rated.recorded_at == datetime(2020, 9, 1, 9, 10, 11, tzinfo=UTC)
    assert (first.kind, first.watched_on, first.is_rewatch) == ("watched", date(2021, 3, 31), True)
    assert (second.watched_on, second.is_rewatch) == (date(2014, 3, 31), False)
    assert (wanted.kind, wanted.recorded_at) == ("wanted", datetime(2022, 1, 31, tzinfo=UTC))


def test_watched_movies_count_their_plays():
    once, twice, unknown = read(
        as_json(
            [
                {"plays": 1, "last_watched_at": "2014-10-11T17:00:54.000Z", "movie": HEAT},
                {"plays": 2, "last_watched_at": "2015-10-11T17:00:54.000Z", "movie": RAN},
                {"plays": 1, "last_watched_at": "1970-01-01T00:00:00.000Z", "movie": trakt_movie("Up", None)},
            ]
        )
    )

    assert (once.is_rewatch, twice.is_rewatch) == (False, True)
    assert (unknown.watched_on, unknown.year) == (None, None)


def test_episodes_are_left_out_and_series_said_to_be_none():
    rows = read(
        as_json(
            [
                {"watched_at": "2014-10-11T17:00:54.000Z", "type": "episode", "episode": {}, "show": {"title": "Lost"}},
                {"rated_at": "2014-10-11T17:00:54.000Z", "rating": 8, "type": "show", "show": {"title": "Lost"}},
                {"rated_at": "2014-10-11T17:00:54.000Z", "rating": 8, "type": "movie", "movie": HEAT},
            ]
        )
    )

    assert [(row.title, row.medium) for row in rows] == [("Lost", "show"), ("Heat", "")]


def test_a_zip_of_json_files_is_read():
    item = {"rated_at": "2020-09-01T09:10:11.000Z", "rating": 10, "movie": HEAT}
    rows = read(zipped({"ada/ratings-movies.json": as_json([item]), "ada/user.json": b"{}"}), "trakt.zip")

    assert [(row.file, row.line, row.rating) for row in rows] == [("ratings-movies.json", 1, 5)]


@pytest.mark.wording
@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"rating": 8, "movie": "Heat"}, "the title and id are missing."),
        ({"rating": True, "movie": HEAT}, "'True' is not text or a number."),
        ({"rating": 11, "movie": HEAT}, "'11' is not a rating above 0 and up to 10."),
        ({"rating": {"of": 1}, "movie": HEAT}, "\"{'of': 1}\" is not text or a number."),
    ],
)
def test_a_broken_item_says_what_is_wrong(item, problem):
    sound = {"rated_at": "2020-09-01T09:10:11.000Z", "rating": 10, "movie": HEAT}

    assert f"{describe(read(as_json([item, sound]))[0].problem)}." == problem


@pytest.mark.wording
@pytest.mark.parametrize(
    ("item", "note"),
    [
        ({"rating": 8, "movie": {**HEAT, "year": "long ago"}}, "'long ago' is not the year of a movie"),
        (
            {"rating": 8, "movie": {**HEAT, "ids": {"imdb": "nm1"}}},
            "'nm1' is not an IMDb id; expected something like tt0133093",
        ),
        ({"watched_at": "yesterday", "movie": HEAT}, "'yesterday' is not a date such as 2024-01-31"),
    ],
)
def test_a_bad_detail_costs_the_detail_and_is_named(item, note):
    [row] = read(as_json([item]))

    assert (row.title, row.problem) == ("Heat", ())
    assert note in describe(row.ignored)


@pytest.mark.wording
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"movie": {"ids": {}}},\n{"rating": ', "trakt.json, line 2: expected JSON"),
        (b'{"movie": {"ids": ' + b"[" * 100_000, "expected JSON as a site exports it"),
        (b'{"movie": {"ids": 1' + b"0" * 5000 + b"}}", "expected a JSON file of Trakt"),
        (b'[{"episode": {}, "show": {"ids": {}}}]', "this one contains no movies"),
        (b"{}", "expected a JSON file of Trakt"),
    ],
)
def test_other_json_is_refused(content, message):
    with pytest.raises(InvalidImport, match=message):
        read(content)
