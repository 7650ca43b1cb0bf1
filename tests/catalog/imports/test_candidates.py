"""The best movies for rows that were not matched, by ids, title and year."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.imports.candidates import MOST, add_candidates
from catalog.models import AlternativeTitle, ImportRow, UserImport
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def row_of(nora):
    user_import = UserImport.objects.create(user=nora, format="csv", name="a.csv", n_rows=1)

    def make(title: str, year: int | None = None, **values: object) -> ImportRow:
        row = ImportRow(user_import=user_import, file="a.csv", line=1, kind="rated", title=title, year=year, **values)
        row.save()
        return row

    return make


def titles_for(row: ImportRow) -> list[str]:
    add_candidates([row])
    return [str(movie) for movie in row.candidates]


@pytest.fixture(autouse=True)
def catalogue() -> None:
    for title, year in (
        ("The Lord of the Rings: The Fellowship of the Ring", 2001),
        ("The Lord of the Rings: The Two Towers", 2002),
        ("Heat", 1995),
        ("Heat", 1986),
        ("The Heat", 2013),
        ("Body Heat", 1981),
        ("Amélie", 2001),
        ("Seven Samurai", 1954),
        ("Se7en", 1995),
        ("Love", 2015),
    ):
        MovieFactory(title=title, year=year)


@pytest.mark.parametrize(
    ("title", "year", "best"),
    [
        (
            "Lord of the Ring - Fellowship of the Rings",
            2001,
            "The Lord of the Rings: The Fellowship of the Ring (2001)",
        ),
        ("Lord of the Rings, Two Tower", 2003, "The Lord of the Rings: The Two Towers (2002)"),
        ("Heat", 1990, "Heat (1986)"),
        ("Heat", 1998, "Heat (1995)"),
        ("Ameliee", 2001, "Amélie (2001)"),
        ("Seven Samurais", None, "Seven Samurai (1954)"),
    ],
)
def test_the_best_movie_comes_first(row_of, title, year, best):
    assert titles_for(row_of(title, year))[0] == best


def test_at_most_three_and_none_that_is_unlike(row_of):
    assert titles_for(row_of("Heat", 1995)) == ["Heat (1995)", "Heat (1986)", "The Heat (2013)"]
    assert len(titles_for(row_of("Heat"))) == MOST
    assert titles_for(row_of("Completely different words", 1995)) == []
    assert titles_for(row_of("Love and other disasters of the heart", 2015)) == []
    assert titles_for(row_of("")) == []


def test_a_movie_with_an_id_of_the_row_comes_first(row_of):
    other = MovieFactory(title="Der Eissturm", year=1950, imdb_id="tt0113277")

    assert titles_for(row_of("Heat", 1995, identity={"imdb_id": "tt0113277"}))[0] == str(other)
    assert titles_for(row_of("", None, identity={"imdb_id": "tt0113277"})) == [str(other)]


def test_other_names_of_a_movie_count(row_of):
    movie = MovieFactory(title="The Never Ending Tale", year=1984)
    AlternativeTitle.objects.create(movie=movie, title="Die unendliche Geschichte")
    movie.save()

    assert titles_for(row_of("Unendliche Geschichte", 1984)) == [str(movie)]


def test_decided_rows_and_series_get_none(row_of):
    series = row_of("Heat", 1995, reasons=[["match.not_a_movie", {"type": "series"}]])
    refused = row_of("Heat", 1995, choice="none")

    matched = row_of("Heat", 1995, movie=MovieFactory())

    assert [titles_for(row) for row in (series, refused, matched)] == [[], [], []]


def test_a_page_takes_as_many_queries_as_a_few_rows(row_of):
    def n_queries(n: int) -> int:
        rows = [row_of(f"Heat of {number}", 1990) for number in range(n)]
        with CaptureQueriesContext(connection) as queries:
            add_candidates(rows)
        return len(queries)

    few, page = n_queries(3), n_queries(50)
    assert few <= 3
    assert page <= 6


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=300), year=st.none() | st.integers(1870, 2100))
def test_any_title_is_looked_up(row_of, title, year):
    row = row_of("Heat", 1995)
    row.title, row.year = title.replace("\x00", ""), year

    assert len(titles_for(row)) <= MOST
