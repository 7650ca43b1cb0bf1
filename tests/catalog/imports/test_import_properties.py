"""Properties of all uploads of a kind, tested on generated ones."""

import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from tests.catalog.imports.site_files import IMDB, imdb_row, table

NAMES = st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8})?", fullmatch=True)
HALF_STARS = st.sampled_from([step / 2 for step in range(1, 11)])
IDS = st.integers(1, 9_999_999)


def written(rows: list[list[object]], separator: str = ",") -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def read(rows: list[list[object]], *, format: str = "csv", separator: str = ",") -> list[ParsedRow]:
    return read_upload(format=format, name="x.csv", content=written(rows, separator)).rows


@given(st.lists(st.tuples(NAMES, HALF_STARS), min_size=1, max_size=5), st.sampled_from(";\t"))
def test_the_separator_does_not_change_what_is_read(ratings, separator):
    rows = [["title", "year", "rating"], *([title, 1995, rating] for title, rating in ratings)]

    assert read(rows, separator=separator) == read(rows)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=5))
def test_ratings_out_of_ten_are_halved_in_each_format(ratings):
    own = read([["title", "rating10"], *(["Heat", rating] for rating in ratings)])
    imdb = read_upload(
        format="imdb",
        name="ratings.csv",
        content=table(IMDB, *(imdb_row("tt0113277", rating, "Heat", 1995) for rating in ratings)),
    ).rows

    assert [row.rating for row in own] == [row.rating for row in imdb] == [rating / 2 for rating in ratings]


@given(st.permutations(["title", "year", "tmdb_id", "rating", "watched_on", "notes"]))
def test_the_order_of_the_columns_does_not_matter(columns):
    values = {"title": "Heat", "year": 1995, "tmdb_id": 949, "rating": 4.5, "watched_on": "2024-01-05", "notes": "x"}
    [row] = read([columns, [values[name] for name in columns]])

    assert (row.title, row.year, row.tmdb_id, row.rating, str(row.watched_on), row.problem) == (
        "Heat", 1995, 949, 4.5, "2024-01-05", (),
    )  # fmt: skip


@given(IDS, st.sampled_from(["{}", "{}.0"]))
def test_numbers_that_a_spreadsheet_wrote_are_ids(number, form):
    [row] = read(
        [["title", "tmdb_id", "movielens_id", "rating"], ["Heat", form.format(number), form.format(number), 4]]
    )

    assert (row.tmdb_id, row.movielens_id, row.problem) == (number, number, ())
