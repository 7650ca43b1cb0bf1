"""Properties of uploads in each format, by the kinds of cases/README.md, tested on generated files.

Scales, separators and ids of kinds C and F are in test_import_properties.py, titles of kind E in
test_export_property.py.
"""

from collections import Counter
from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.imports.fields import Kind
from catalog.imports.format import Entry
from catalog.imports.formats import EXPORTED, FORMATS, read_upload
from catalog.imports.matching import Match
from catalog.imports.reading import NOT_USED, Reading
from catalog.imports.report import counts_of
from catalog.models import Movie
from catalog.models.reasons import Code
from tests.catalog.imports.site_files import IMDB, RATINGS, as_json, imdb_row, table, trakt_movie, zipped

DAY = datetime(2024, 5, 1, tzinfo=UTC)
JUNK = st.text("qxzwk#~!", min_size=1, max_size=12)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
EXAMPLES = settings(max_examples=25)
MOVARY = ["title", "year", "tmdbId", "imdbId", "userRating", "addedAt"]
RYOT = {
    "lot": "movie",
    "source": "tmdb",
    "source_id": "Heat",
    "identifier": "949",
    "seen_history": [],
    "collections": [],
}
TMDB = ["TMDb ID", "IMDb ID", "Type", "Name", "Release Date", "Your Rating", "Date Rated"]
WETRAKR = ["title", "year", "type", "tmdb_id", "imdb_id", "rating", "rated_at"]
YAMTRACK = ["media_id", "source", "media_type", "title", "score", "status", "created_at"]
FILES = {  # a rating in each format, with a rating and a day that may be damaged
    "csv": lambda rating, day: table(["title", "year", "rating", "rated_at"], ["Heat", 1995, rating, day]),
    "letterboxd": lambda rating, day: table(RATINGS, [day, "Heat", 1995, "", rating]),
    "imdb": lambda rating, day: table(IMDB, imdb_row("tt0113277", rating, "Heat", 1995, on=day)),
    "trakt": lambda rating, day: as_json(
        [{"rated_at": day, "rating": rating, "type": "movie", "movie": trakt_movie("Heat", 1995)}]
    ),
    "jellyfin": lambda rating, day: as_json(
        [
            {
                "Name": "Heat",
                "ProductionYear": 1995,
                "Type": "Movie",
                "UserData": {"Played": False, "Rating": rating, "LastPlayedDate": day},
            }
        ]
    ),
    "plex": lambda rating, day: as_json(
        [{"title": "Heat", "year": 1995, "type": "movie", "ratingKey": "1", "userRating": rating, "lastRatedAt": day}]
    ),
    "kodi": lambda rating, day: (
        f"<movie><title>Heat</title><year>1995</year><userrating>{escape(str(rating))}</userrating>"
        f"<lastplayed>{escape(day)}</lastplayed></movie>"
    ).encode(),
    "movary": lambda rating, day: table(MOVARY, ["Heat", 1995, 949, "tt0113277", rating, day]),
    "ryot": lambda rating, day: as_json([RYOT | {"reviews": [{"rating": rating, "review": {"date": day}}]}]),
    "simkl": lambda rating, day: as_json(
        [{"user_rating": rating, "user_rated_at": day, "movie": trakt_movie("Heat", 1995)}]
    ),
    "tmdb": lambda rating, day: table(TMDB, [949, "tt0113277", "movie", "Heat", "1995-12-15", rating, day]),
    "wetrakr": lambda rating, day: table(WETRAKR, ["Heat", 1995, "movie", 949, "tt0113277", rating, day]),
    "yamtrack": lambda rating, day: table(YAMTRACK, [949, "tmdb", "movie", "Heat", rating, "Dropped", day]),
}
every_format = pytest.mark.parametrize("format", sorted(FORMATS))
written = pytest.mark.parametrize("format", sorted(EXPORTED))
tables = pytest.mark.parametrize("format", ["csv", "imdb", "letterboxd", "yamtrack"])


def read(format: str, content: bytes, name: str = "") -> Reading:
    return read_upload(format=format, name=name or f"ratings{FORMATS[format].suffixes[0]}", content=content)


class Given(list[Entry]):
    """As `Entries` of a user without lists."""

    lists = ()

    def of(self, kind):
        return (entry for entry in self if entry.kind == kind)


@st.composite
def entries(draw):
    kinds = draw(st.lists(st.sampled_from([Kind.RATED, Kind.WATCHED, Kind.WANTED]), min_size=1, max_size=5))
    values = {
        Kind.RATED: {"rating": 3.5},
        Kind.WATCHED: {"watched_on": draw(st.sampled_from([None, date(2023, 1, 31)]))},
    }
    movie = Movie(title="Heat", year=1995, imdb_id="tt0113277", tmdb_id=949)
    return Given(Entry(kind, number, movie, DAY, **values.get(kind, {})) for number, kind in enumerate(kinds, 1))


@written
@EXAMPLES
@given(entries())
def test_a_nothing_absent_means_watched(format, given_entries):
    export = EXPORTED[format].write(given_entries)
    wanted = Counter(entry.kind for entry in given_entries)
    if format == "imdb":  # which has no viewings
        del wanted[Kind.WATCHED]
    if wanted:
        rows = read(format, export.content, export.name).rows
        assert Counter(row.kind for row in rows) == wanted
        assert sum(row.rating is not None for row in rows) == wanted[Kind.RATED]


@tables
@EXAMPLES
@given(st.lists(JUNK.map("x{}".format), min_size=1, max_size=4, unique=True))
def test_b_every_column_is_named(format, names):
    header, row = FILES[format](4, "2024-05-01").decode().splitlines()
    extended = f"{header},{','.join(names)}\n{row},{','.join(names)}\n"

    [file] = read(format, extended.encode()).files

    assert list(file.columns) == [*header.split(","), *names]
    assert {file.columns[name] for name in names} == {NOT_USED}


@every_format
@EXAMPLES
@given(JUNK, TEXT)
def test_b_every_file_is_named(format, name, content):
    files = {f"ratings{FORMATS[format].suffixes[0]}": FILES[format](4, "2024-05-01"), f"{name}.csv": content.encode()}

    reading = read(format, zipped(files), "x.zip")

    assert {file.file for file in reading.files} == set(files)


@tables
@EXAMPLES
@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 12)), max_size=4), st.sampled_from("/-."))
def test_c_one_date_settles_the_order_of_all(format, days, sign):
    days = [(31, 1), *days]
    written = [f"{day:02}{sign}{month:02}{sign}2023" for day, month in days]
    rows = [FILES[format](4, text).decode().splitlines() for text in written]
    content = "\n".join([rows[0][0], *(row for _, row in rows)])

    reading = read(format, content.encode())

    assert [row.recorded_at.date() for row in reading.rows] == [date(2023, month, day) for day, month in days]
    assert reading.questions == []


@every_format
@EXAMPLES
@given(JUNK, JUNK, st.booleans())
def test_f_a_bad_detail_costs_the_detail(format, rating, day, has_bad_rating):
    content = FILES[format](rating if has_bad_rating else 4, "2024-05-01" if has_bad_rating else day)

    [row] = read(format, content).rows

    assert row.title == "Heat"
    assert row.kind == (Kind.NOTHING if has_bad_rating else Kind.RATED)
    assert (row.problem or row.ignored)[0].code == (Code.NOT_A_RATING if has_bad_rating else Code.NOT_A_DATE)


@written
@EXAMPLES
@given(entries(), st.booleans())
def test_g_each_row_is_counted_once(format, given_entries, are_found):
    export = EXPORTED[format].write(
        Given([Entry(Kind.RATED, 0, given_entries[0].movie, DAY, rating=5), *given_entries])
    )
    rows = read(format, export.content, export.name).rows
    counts = counts_of(rows, [Match(1 if are_found else None) for _ in rows])

    assert len(rows) == sum(counts[name] for name in ("matched", "not_found", "not_readable", "nothing_said"))


@pytest.mark.parametrize("format", ["csv", "imdb"])
@EXAMPLES
@given(JUNK)
def test_h_an_unknown_type_is_neither_movie_nor_series(format, kind):
    if format == "csv":
        content = table(["title", "year", "type", "tmdb_id", "rating"], ["Heat", 1995, kind, 949, 4])
    else:
        content = table(IMDB, imdb_row("tt0113277", 8, "Heat", 1995, kind=kind))

    [row] = read(format, content).rows

    assert (row.kind, row.medium, row.tmdb_id, row.year) == (Kind.RATED, "", None, 1995)
