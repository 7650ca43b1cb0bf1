from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import FORMATS, read_upload
from catalog.models.reasons import describe


def read(text: str, name: str = "mine.csv") -> list[ParsedRow]:
    return read_upload(format="csv", name=name, content=text.encode()).rows


def test_ratings_viewings_and_watchlist_by_column():
    rated, rated_of_ten, seen, watched, wanted = read(
        "title,year,rating,rating10,rated_at,watched,watched_on,rewatch,watchlist,imdb_id,tmdb_id,movielens_id\n"
        "Heat,1995,4.5,,2024-01-31T12:00:00+02:00,,,,,tt0113277,949,6\n"
        '"Matrix, The (1999)",,,7,,,,,,,,\n'
        "Ran,1985,,,,yes,,,,,,\n"
        "Ran,1985,4,,,,2020-05-01,yes,,,,\n"
        "Up,2009,,,,,,,yes,,,\n"
    )

    assert (rated.kind, rated.rating, rated.recorded_at) == ("rated", 4.5, datetime(2024, 1, 31, 10, tzinfo=UTC))
    assert (rated.imdb_id, rated.tmdb_id, rated.movielens_id) == ("tt0113277", 949, 6)
    assert (rated_of_ten.title, rated_of_ten.year, rated_of_ten.rating) == ("Matrix, The (1999)", None, 3.5)
    assert rated_of_ten.readings == (("The Matrix", 1999),)
    assert (seen.kind, seen.watched_on) == ("watched", None)
    assert (watched.kind, watched.rating, watched.watched_on, watched.is_rewatch) == (
        "watched",
        4,
        date(2020, 5, 1),
        True,
    )
    assert wanted.kind == "wanted"


@pytest.mark.parametrize(("answers", "kind"), [({}, "nothing"), ({"rows": "watched"}, "watched")])
def test_an_export_from_before_the_column_watched_is_asked_about(answers, kind):
    header = "title,year,imdb_id,tmdb_id,movielens_id,rating,rating10,rated_at,watched_on,rewatch,watchlist"
    silent, rated = "Ran,1985,,,,,,2024-01-01,,,", "Up,2009,,,,4,,2024-01-01,,,"
    reading = read_upload(
        format="csv", name="x.csv", content="\n".join([header, silent, rated]).encode(), answers=answers
    )
    complete = read_upload(format="csv", name="x.csv", content=f"{header}\n{rated}".encode())

    assert [row.kind for row in reading.rows] == [kind, "rated"]
    assert reading.questions == ([] if answers else [("rows", "x.csv")])
    assert complete.questions == []


def test_semicolons_and_decimal_commas_of_spreadsheets_are_read():
    [row] = read("Title;Year;Rating\r\nHeat;1995;4,5\r\n")

    assert (row.title, row.rating) == ("Heat", 4.5)


def test_columns_of_letterboxds_own_import_are_understood():
    [row] = read("tmdbID,imdbID,Title,Year,Rating10,WatchedDate,Rewatch\n949,tt0113277,Heat,1995,9,2020-05-01,true\n")

    assert (row.tmdb_id, row.imdb_id, row.rating, row.watched_on) == (949, "tt0113277", 4.5, date(2020, 5, 1))


@pytest.mark.wording
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("Heat,1995,11,,", "'11' is not a rating above 0 and up to 5."),
        ("Heat,1995,,maybe,", "'maybe' is not a yes or no value."),
        ("Heat,1995,,,", "not marked as watched, rated or wanted."),
        (",,4,,", "the title and id are missing."),
        (",,4,,nm12", "'nm12' is not an IMDb id; expected something like tt0133093."),
    ],
)
def test_a_row_that_imports_nothing_says_why(row, problem):
    broken, _ = read(f"title,year,rating,watchlist,imdb_id\n{row}\nRan,1985,4,,\n")

    assert f"{describe(broken.problem)}." == problem
    assert broken.kind == ("unreadable" if row.startswith(",") else "nothing")


@pytest.mark.wording
@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("Heat,95,4,,", "'95' is not the year of a movie"),
        ("Heat,1995,4,maybe,", "'maybe' is not a yes or no value"),
        ("Heat,1995,4,,nm12", "'nm12' is not an IMDb id; expected something like tt0133093"),
    ],
)
def test_a_bad_detail_costs_the_detail_and_is_named(row, note):
    [rated] = read(f"title,year,rating,watchlist,imdb_id\n{row}\n")

    assert (rated.kind, rated.title, rated.rating, rated.imdb_id, describe(rated.ignored)) == (
        "rated",
        "Heat",
        4,
        "",
        note,
    )


def test_a_row_may_be_rated_and_wanted():
    [row] = read("title,rating,watchlist\nHeat,4,yes\n")

    assert (row.kind, row.rating, row.problem) == ("wanted", 4, ())


@pytest.mark.wording
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,stars\n", "expected a CSV file with a column title, imdb_id, tmdb_id or movielens_id"),
        ("Date,Name,Year,Letterboxd URI,Rating\n", "looks like a file from Letterboxd, so choose that"),
        ("Const,Your Rating,Title,Title Type\n", "looks like a file from IMDb, so choose that"),
        ('title,year\n"Heat,1995\n', "line 2: expected a row of a CSV file"),
        ("title\nHe\0at\n", "contains NUL characters"),
        ("", "the file is empty"),
        ("\n\n", "expected a CSV file with a column title"),
    ],
)
def test_other_tables_are_refused(content, message):
    with pytest.raises(InvalidImport, match=message):
        read(content)


@given(
    st.binary(max_size=300), st.sampled_from(sorted(FORMATS)), st.sampled_from(["x.csv", "x.json", "x.xml", "x.zip"])
)
def test_no_file_whatever_breaks_a_reader(content, format, name):
    try:
        read_upload(format=format, name=name, content=content)
    except InvalidImport as error:
        assert str(error)


ROWS = st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=5), max_size=5)


@given(ROWS, st.sampled_from(["title,year,rating,rated_at,watched_on", "Date,Name,Year,Letterboxd URI,Rating"]))
def test_no_rows_whatever_break_a_reader(rows, header):
    text = header + "\n" + "\n".join(",".join(row) for row in rows)
    for format in ("csv", "letterboxd"):
        try:
            rows = read_upload(format=format, name="x.csv", content=text.encode("utf-8", "surrogatepass")).rows
        except InvalidImport:
            continue
        assert all(row.rating is None or 0.5 <= row.rating <= 5 for row in rows)
