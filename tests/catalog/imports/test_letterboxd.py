from datetime import UTC, date, datetime

import pytest

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from catalog.models.reasons import describe
from tests.catalog.imports.site_files import DIARY, RATINGS, REVIEWS, WATCHED, WATCHLIST, table, zipped

URI = "https://boxd.it/2aHi"


def read(name: str, content: bytes) -> list[ParsedRow]:
    return read_upload(format="letterboxd", name=name, content=content).rows


def test_ratings_have_half_stars_and_the_day_they_were_given():
    rows = ["2023-01-31", "Amélie", "2001", URI, "4.5"], ["2023-02-01", '"Wuthering" Heights, again', "", URI, "0.5"]
    first, second = read("ratings.csv", table(RATINGS, *rows))

    assert (first.kind, first.title, first.year, first.rating) == ("rated", "Amélie", 2001, 4.5)
    assert first.recorded_at == datetime(2023, 1, 31, tzinfo=UTC)
    assert (second.title, second.year, second.rating) == ('"Wuthering" Heights, again', None, 0.5)


def test_a_diary_has_days_rewatches_and_entries_without_a_rating():
    seen, again = read(
        "diary.csv",
        table(
            DIARY,
            ["2020-05-02", "Heat", "1995", URI, "", "", "crime, night", "2020-05-01"],
            ["2021-05-02", "Heat", "1995", URI, "5", "Yes", "", "2021-05-02"],
        ),
    )

    assert (seen.kind, seen.rating, seen.watched_on, seen.is_rewatch) == ("watched", None, date(2020, 5, 1), False)
    assert (again.rating, again.watched_on, again.is_rewatch) == (5, date(2021, 5, 2), True)


def test_line_numbers_survive_crlf_bom_and_multiline_reviews():
    rows = (
        ["2020-05-02", "Heat", "1995", URI, "4", "", 'One line.\nAnother "quoted" one.\n\nThe end', "", "2020-05-01"],
        ["2020-05-03", "Ran", "1985", URI, "5", "", "", "", "2020-05-02"],
    )
    rows = read("reviews.csv", table(REVIEWS, *rows, end="\r\n", mark=True))

    assert [(row.title, row.line) for row in rows] == [("Heat", 2), ("Ran", 6)]


def test_watched_and_watchlist_are_told_apart_by_their_names():
    rows = table(WATCHED, ["2020-05-02", "Heat", "1995", URI])

    assert [row.kind for row in read("watched (1).csv", rows)] == ["watched"]
    assert [row.kind for row in read("watchlist-ada.csv", rows)] == ["wanted"]
    reading = read_upload(format="letterboxd", name="films.csv", content=rows)
    assert ([row.kind for row in reading.rows], reading.questions) == (["nothing"], [("rows", "films.csv")])
    answered = read_upload(format="letterboxd", name="films.csv", content=rows, answers={"rows": "wanted"})
    assert ([row.kind for row in answered.rows], answered.questions) == (["wanted"], [])


def test_a_zip_holds_likes_and_no_deleted_entries():
    rows = read(
        "letterboxd-ada-2024.zip",
        zipped(
            {
                "profile.csv": b"Date Joined,Username\n2019-01-01,ada\n",
                "comments.csv": b"Date,Content,Comment\n2020-01-01,x,y\n",
                "ratings.csv": table(RATINGS, ["2020-05-02", "Heat", "1995", URI, "4"]),
                "watched.csv": table(WATCHED, ["2020-05-02", "Ran", "1985", URI]),
                "watchlist.csv": table(WATCHLIST),
                "likes/films.csv": table(WATCHED, ["2020-05-02", "Alien", "1979", URI]),
                "deleted/diary.csv": table(DIARY, ["2020-05-02", "Cats", "2019", URI, "", "", "", "2020-05-01"]),
                "orphaned/diary.csv": table(DIARY, ["2020-05-02", "Dogs", "2019", URI, "", "", "", "2020-05-01"]),
                "lists/best.csv": table(WATCHED, ["2020-05-02", "Up", "2009", URI]),
                "__MACOSX/._ratings.csv": b"\x00\x05\x16",
            }
        ),
    )

    assert [(row.kind, row.title) for row in rows] == [("listed", "Alien"), ("watched", "Ran"), ("rated", "Heat")]


def test_a_folder_in_the_zip_is_looked_into():
    rows = read("x.zip", zipped({"letterboxd-ada/ratings.csv": table(RATINGS, ["2020-05-02", "Ran", "1985", URI, 4])}))

    assert [row.title for row in rows] == ["Ran"]


@pytest.mark.wording
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["2020-05-02", "Heat", "1995", URI, "5.5"], "'5.5' is not a rating above 0 and up to 5"),
        (["2020-05-02", "Heat", "1995", URI, ""], "the rating is missing"),
        (["2020-05-02", " ", "1995", URI, "5"], "the title and id are missing"),
        (["2020-05-02", "x" * 301, "1995", URI, "5"], "the title is longer than 300 characters"),
        (["2020-05-02", "Heat", "1995"], "the row has 3 columns; expected 5"),
    ],
)
def test_a_broken_row_says_what_is_wrong_and_leaves_the_others(row, problem):
    broken, sound = read("ratings.csv", table(RATINGS, row, ["2020-05-02", "Ran", "1985", URI, "4"]))

    assert (broken.line, describe(broken.problem)) == (2, problem)
    assert (sound.title, sound.problem) == ("Ran", ())


@pytest.mark.wording
@pytest.mark.parametrize(
    ("row", "note"),
    [
        (["2020-05-02", "Heat", "95", URI, "5"], "'95' is not the year of a movie"),
        (["May 2", "Heat", "1995", URI, "5"], "'May 2' is not a date such as 2024-01-31"),
        (["2999-05-02", "Heat", "1995", URI, "5"], "'2999-05-02' is in the future"),
    ],
)
def test_a_bad_detail_costs_the_detail_and_is_named(row, note):
    [rated] = read("ratings.csv", table(RATINGS, row))

    assert (rated.title, rated.rating, rated.problem, describe(rated.ignored)) == ("Heat", 5, (), note)


@pytest.mark.wording
def test_a_file_without_a_sound_row_is_refused():
    with pytest.raises(InvalidImport, match=r"none of its rows can be read. ratings.csv, line 2: the title and"):
        read("ratings.csv", table(RATINGS, ["2020-05-02", "", "1995", URI, "4"]))
    with pytest.raises(InvalidImport, match="this one contains no movies"):
        read("watchlist.csv", table(WATCHLIST))
