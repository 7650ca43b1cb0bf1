from datetime import UTC, datetime

import pytest

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from tests.catalog.imports.site_files import IMDB, IMDB_LIST, imdb_row, table


def read(content: bytes, name: str = "ratings.csv") -> list[ParsedRow]:
    return read_upload(format="imdb", name=name, content=content).rows


def test_ratings_out_of_ten_become_half_stars_and_rows_have_ids():
    rows = [imdb_row("tt0113277", 9, "Heat", 1995), imdb_row("tt0089881", 10, "Ran", 1985), imdb_row("tt1", 1, "X", "")]
    rows = read(table(IMDB, *rows, end="\r\n", mark=True))

    assert [row.rating for row in rows] == [4.5, 5, 0.5]
    assert [row.imdb_id for row in rows] == ["tt0113277", "tt0089881", "tt0000001"]
    assert (rows[0].kind, rows[0].year) == ("rated", 1995)
    assert rows[0].recorded_at == datetime(2024, 3, 14, tzinfo=UTC)


def test_series_are_named_as_such_with_their_first_year():
    [series, movie] = read(
        table(
            IMDB,
            imdb_row("tt0903747", 10, "Breaking Bad", "2008\u20132013", kind="TV Series"),
            imdb_row("tt0113277", 9, "Heat", 1995, kind="TV Movie"),
        )
    )

    assert (series.medium, series.year) == ("TV Series", 2008)
    assert movie.medium == ""


def test_a_list_is_the_watchlist_but_for_what_is_rated():
    def listed(position: int, title: str, rating: object) -> list[object]:
        row = imdb_row(f"tt{position:07}", "", title, 1995)
        return [
            position,
            row[0],
            "2022-01-31",
            "2022-01-31",
            "a note",
            *row[3:],
            rating,
            "2023-01-31" if rating else "",
        ]

    wanted, rated = read(table(IMDB_LIST, listed(1, "Heat", ""), listed(2, "Ran", 8)), "c0ffee.csv")

    assert (wanted.kind, wanted.rating, wanted.recorded_at) == ("wanted", None, datetime(2022, 1, 31, tzinfo=UTC))
    assert (rated.kind, rated.rating, rated.recorded_at) == ("rated", 4, datetime(2023, 1, 31, tzinfo=UTC))
    [checked] = read(table(IMDB_LIST, listed(1, "Heat", "")), "check-ins.csv")
    assert checked.kind == "watched"


def test_an_export_of_before_2017_is_read():
    columns = ["position", "const", "created", "modified", "description", "Title", "Title type", "You rated", "Year"]
    row = [1, "tt0113277", "Thu Jan  5 00:00:00 2017", "", "", "Heat", "Feature Film", 9, 1995]
    [row] = read(table(columns, row))

    assert (row.rating, row.medium, row.recorded_at) == (4.5, "", datetime(2017, 1, 5, tzinfo=UTC))


@pytest.mark.wording
def test_another_encoding_is_refused_with_the_line():
    content = table(IMDB, imdb_row("tt0113277", 9, "Heat", 1995)) + "tt1,Amélie\n".encode("cp1252")

    with pytest.raises(InvalidImport, match=r"ratings.csv, line 3: expected text in UTF-8, but this is another"):
        read(content)
    with pytest.raises(InvalidImport, match="this is another encoding"):
        read(content.decode("cp1252").encode("utf-16-le"))
