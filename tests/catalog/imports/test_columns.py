"""Recognises columns of any CSV file, and columns whose names resemble known ones but mean something else."""

import pytest

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from catalog.imports.reading import Reading


def read(*lines: str) -> Reading:
    return read_upload(format="csv", name="mine.csv", content="\n".join(lines).encode())


def row_of(*lines: str) -> ParsedRow:
    return read(*lines).rows[0]


@pytest.mark.parametrize("name", ["mediaId", "Media ID", "media_id", "id", "movie_id", "tmdb", "source_id"])
def test_the_key_of_another_program_is_no_movie(name):
    """Its owner is asked what it is, unless the name says that it is an id and the values say that it is none."""
    if name == "tmdb":
        with pytest.raises(InvalidImport):
            read(f"{name},type,watched", "8.3,movie,yes")
        return
    for value in ("8.3", "603"):
        reading = read(f"{name},type,watched", f"{value},movie,yes")
        assert (reading.rows, reading.questions) == ([], [("columns", "mine.csv")])


@pytest.mark.parametrize(
    ("header", "row", "tmdb_id"),
    [
        ("media_id,source,media_type,title,status", "603,tmdb,movie,Heat,Completed", 603),
        ("media_id,source,media_type,title,status", "603,TMDB,movie,Heat,Completed", 603),
        ("media_id,source,media_type,status", "603,tmdb,movie,Completed", 603),
        ("media_id,source,media_type,title,status", "603,imdb,movie,Heat,Completed", None),
        ("media_id,source,media_type,title,status", "603,,movie,Heat,Completed", None),
        ("Media ID,source,media_type,title,status", "603,imdb,movie,Heat,Completed", None),
        ("Media ID,source,media_type,title,status", "603,tmdb,movie,Heat,Completed", None),
        ("mediaid,source,media_type,title,status", "603,tmdb,movie,Heat,Completed", None),
        ("media_id,media_type,title,status", "603,movie,Heat,Completed", None),
        ("media_id,source,media_type,title,status,tmdb_id", "7,manual,movie,Heat,Completed,949", 949),
        ("media_id,source,media_type,title,status,tmdb_id", "7,tmdb,movie,Heat,Completed,949", 949),
        ("media_id,Media ID,source,media_type,title,status", ",7,tmdb,movie,Heat,Completed", None),
    ],
)
def test_yamtracks_number_is_tmdbs_if_its_source_says_so(header, row, tmdb_id):
    found = row_of(header, row)

    assert (found.kind, found.tmdb_id) == ("watched", tmdb_id)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("title,IMDb ID,imdb_id,rating", "Heat,tt0113277,,4"),
        ("title,IMDb ID,imdb_id,rating", "Heat,,tt0113277,4"),
        ("title,IMDb ID,imdb_id,rating", "Heat,tt0113277,tt0133093,4"),
        ("title,imdb_id,IMDB_ID,rating", "Heat,tt0113277,tt0133093,4"),
        ("title,imdb_id,IMDB_ID,rating", "Heat,,tt0113277,4"),
        ("title,imdb_id,imdb_id,rating", "Heat,tt0113277,,4"),
        ("title,imdb_id,imdb_id,rating", "Heat,-,tt0113277,4"),
        ("title,imdb_id,imdb_id,imdb-id,rating", "Heat,,null,tt0113277,4"),
    ],
)
def test_the_first_filled_of_two_spellings_counts(header, row):
    reading = read(header, row)

    assert (reading.rows[0].imdb_id, reading.rows[0].rating) == ("tt0113277", 4)
    taken_for = reading.files[0].columns
    shown = [spelling for written in taken_for for spelling in written.split(", ")]
    assert shown == list(dict.fromkeys(header.split(",")))
    assert {label for written, label in taken_for.items() if "id" in written.casefold()} == {"imdb id"}


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("IMDb %", ["83", "79"]),
        ("(imdb)", ["8.0", "7.9"]),
        ("imdb", ["8.0", "tbd"]),
        ("tmdb", ["8.1", "?"]),
        ("tmdb", ["83%", "no votes"]),
        ("imdb", ["8/10", "unrated"]),
        ("imdb", ["17", "236"]),  # a rank
    ],
)
def test_ratings_and_ranks_of_a_site_are_no_ids(name, texts):
    rows = read(f"title,year,{name},watched", *(f"Heat,1995,{text},yes" for text in texts)).rows

    assert [(row.kind, row.imdb_id, row.tmdb_id) for row in rows] == [("watched", "", None)] * len(texts)


@pytest.mark.parametrize(
    ("name", "texts", "ids"),
    [
        ("imdb", ["tt0113277", "tbd"], [("tt0113277", None), ("", None)]),
        ("imdb", ["113277", "17"], [("tt0113277", None), ("tt0000017", None)]),
        ("TMDB", ["949.0", "11.0"], [("", 949), ("", 11)]),
        ("tmdb_id", ["11", "13"], [("", 11), ("", 13)]),
        ("imdb id", ["17"], [("tt0000017", None)]),
    ],
)
def test_ids_of_a_site_are_ids(name, texts, ids):
    rows = read(f"title,year,{name},watched", *(f"Heat,1995,{text},yes" for text in texts)).rows

    assert [(row.imdb_id, row.tmdb_id) for row in rows] == ids


@pytest.mark.parametrize(
    ("header", "row", "rating"),
    [
        ("rating,my_rating", "8.2,4", 2),
        ("rating,my_rating", "8.2,", None),
        ("rating,userRating", "8.2,7", 3.5),
        ("Rating,Your Rating", "8.2,7", 3.5),
        ("score,your_rating", "8.2,7", 3.5),
        ("score,my_score", "8.2,7", 3.5),
        ("score,user_rating", "92,", None),
        ("rating,score", ",92", None),
        ("rating10,score", ",9.2", None),
        ("rating,score", "4,92", 2),
        ("score,rating_count", "7,400000", None),
        ("score,scored_by,members", "7.9,400000,900000", None),
        ("score,critic", "7,A. N. Other", None),
        ("score", "7", 3.5),
        ("rating,votes", "7,400000", 3.5),
        ("rating_count,vote_average,tmdb_rating,imdb rating,public_rating,critic_score", "4,4,4,4,4,4", None),
    ],
)
def test_everybodys_rating_is_not_ones_own(header, row, rating):
    filler = ",".join("10" if "rating" in name.casefold() or "score" in name else "" for name in header.split(","))
    first = row_of(f"title,year,{header}", f"Heat,1995,{row}", f"Ran,1985,{filler}")

    assert (first.kind, first.rating) == ("rated" if rating else "nothing", rating)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("year_watched", "2020"),
        ("seen_count", "0"),
        ("last_seen", "2020-01-01"),
        ("watch_count", "1"),
        ("plays", "12"),
        ("artist,album,plays", "Johnny Cash,American IV,12"),
        ("watchers,plays,collectors", "1200,3400,90"),
        ("watched_at", "cinema"),
        ("watched_on", "2"),
        ("watched", "0"),
        ("watched", "3400"),
        ("watched_minutes,watched_percent", "1,1"),
    ],
)
def test_columns_that_do_not_say_watched(header, row):
    assert row_of(f"title,{header}", f"Heat,{row}", f"Ran,{row}").kind == "nothing"


def test_plays_beside_movarys_day_say_watched():
    never, once = read("title,year,watchedAt,plays", "Heat,1995,,0", "Ran,1985,,1").rows

    assert (never.kind, once.kind) == ("nothing", "watched")


@pytest.mark.parametrize("said", ["Released", "Post Production", "Rumored", "In Production", "Ended"])
def test_the_state_of_a_release_is_no_status_of_ones_own(said):
    """TMDB's data sets say of a movie that it is planned or released."""
    reading = read("title,status", "Heat,Planned", "Ran,Completed", f"Up,{said}")

    assert [row.kind for row in reading.rows] == ["nothing"] * 3
    assert reading.files[0].columns["status"] == "not used"
    assert [row.kind for row in read("title,status", "Heat,Planned", "Ran,Completed").rows] == ["wanted", "watched"]


@pytest.mark.parametrize("name", ["TVDB", "tvdb_id", "tvdbId"])
def test_a_table_with_numbers_of_series_may_hold_series(name):
    """TMDB numbers series apart from movies."""
    named, numbered = read(f"title,year,tmdb_id,{name},rating", "Heat,1995,949,,4", ",,275,269613,4").rows

    assert (named.kind, named.tmdb_id, numbered.kind) == ("rated", None, "nothing")


@pytest.mark.parametrize(
    ("header", "row"), [("Author,ISBN", "Stephen King,0450411435"), ("Artist,Album", "Johnny Cash,American IV")]
)
def test_a_book_or_song_is_no_movie_of_its_name(header, row):
    unknown, movie, dated = read(
        f"Title,{header},My Rating,Type,Year", f"It,{row},5,,", f"Up,{row},4,movie,", f"Ran,{row},3,,1985"
    ).rows

    assert (unknown.kind, movie.kind, dated.kind) == ("nothing", "rated", "rated")
