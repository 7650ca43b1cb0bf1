import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.imports.fields import ParsedRow
from catalog.imports.matching import Match, match_rows
from catalog.models import AlternativeTitle, Movie
from catalog.models.reasons import Code, describe
from tests.catalog.imports import labelled_titles
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def row(title: str, year: int | None = None, **values) -> ParsedRow:
    return ParsedRow("ratings.csv", 2, "rated", title, year=year, **values)


def match(*rows: ParsedRow) -> list[Match]:
    return match_rows(rows)


def test_three_hundred_labelled_rows_match_correctly():
    rows = labelled_titles.asked()
    Movie.objects.bulk_create(
        Movie(title=movie.title, year=movie.year, original_title=movie.other) for movie in labelled_titles.catalogue()
    )
    names = {movie.pk: (movie.title, movie.year) for movie in Movie.objects.all()}
    matches = match(*(row(asked.title, asked.year) for asked in rows))
    found = [(asked, names.get(made.movie_id), made.reasons) for asked, made in zip(rows, matches, strict=True)]
    in_catalogue = [line for line in found if line[0].meant]

    assert len(rows) >= 300
    assert [line for line in found if line[1] and line[1] != line[0].meant] == []
    missed = [line for line in in_catalogue if not line[1]]
    assert len(missed) <= 0.05 * len(in_catalogue), missed
    assert all(reason for _, name, reason in found if not name)


def test_ids_count_more_than_titles():
    heat = MovieFactory(title="Heat", year=1995, imdb_id="tt0113277", tmdb_id=949, movielens_id=6)
    MovieFactory(title="Hitze", year=2001, imdb_id="tt0000001")
    found = match(
        row("La Chaleur", 1995, imdb_id="tt0113277"),
        row("", tmdb_id=949),
        row("", movielens_id=6),
        row("Something", 1996, imdb_id="tt0113277", medium="TV Mini Series"),
    )

    assert [made.movie_id for made in found] == [heat.pk] * 4


def test_an_id_that_title_or_year_contradict_decides_nothing():
    MovieFactory(title="Heat", year=1995, imdb_id="tt0113277")
    MovieFactory(title="Ran", year=1995)
    year, title = match(row("Heat", 2013, imdb_id="tt0113277"), row("Ran", 1995, imdb_id="tt0113277"))

    assert year == title == Match(None, (Code.ID_CONTRADICTED(movie="Heat (1995)"),))


def test_one_film_twice_in_the_catalogue_counts_as_one():
    MovieFactory(title="Eros", year=2004, imdb_id=None, tmdb_id=None)
    known = MovieFactory(title="Eros", year=2004, imdb_id="tt0377059")

    assert match(row("Eros", 2004))[0].movie_id == known.pk


def test_a_movie_with_another_id_is_another_movie():
    MovieFactory(title="Heat", year=1995, imdb_id="tt0113277")
    unknown = MovieFactory(title="Ran", year=1985)
    other, known = match(row("Heat", 1995, imdb_id="tt0091183"), row("Ran", 1985, imdb_id="tt0089881"))

    assert (other.movie_id, other.reasons) == (None, (Code.ONLY_OTHERS(movies=["Heat (1995)"]),))
    assert known.movie_id == unknown.pk


def test_ids_of_two_movies_match_none():
    MovieFactory(title="Heat", year=1995, imdb_id="tt0113277")
    MovieFactory(title="Ran", year=1985, tmdb_id=11645)
    [made] = match(row("Heat", 1995, imdb_id="tt0113277", tmdb_id=11645))

    assert made == Match(None, (Code.IDS_DIFFER(movies=["Heat (1995)", "Ran (1985)"]),))


def test_what_is_no_movie_is_said_to_be_none():
    MovieFactory(title="Fargo", year=1996)
    [made] = match(row("Fargo", 1996, medium="TV Series"))

    assert made == Match(None, (Code.NOT_A_MOVIE(type="TV Series"),))


def test_exact_name_beats_alternative_titles():
    ring, ringu = MovieFactory(title="Das Zeichen", year=1998), MovieFactory(title="Ringu", year=1999)
    AlternativeTitle.objects.create(movie=ring, title="The Ring Virus")
    AlternativeTitle.objects.create(movie=ring, title="Ringu")
    virus, named = match(row("The Ring Virus", 1998), row("Ringu", 1999))
    [doubtful] = match(row("Ringu", 1998))

    assert (virus.movie_id, named.movie_id) == (ring.pk, ringu.pk)
    assert doubtful == Match(None, (Code.SEVERAL(movies=["Das Zeichen (1998)", "Ringu (1999)"]),))


def test_exact_year_beats_a_year_off_by_one():
    titanic = MovieFactory(title="Titanic", year=1997)
    near, own = match(row("Titanic", 1996), row("Titanic", 1997))

    assert own.movie_id == titanic.pk
    assert near == Match(None, (Code.ANOTHER_YEAR(title="Titanic", year=1997),))
    assert [made.movie_id for made in match(row("Titanic", 1996), row("Titanic", 1998))] == [None, None]
    assert [made.movie_id for made in match(row("Titanic", 1996))] == [titanic.pk]


def test_two_movies_with_one_name_and_year_stay_unmatched():
    MovieFactory(title="The Killer", year=2023)
    first, second = row("The Killer", 2023, site_id="/a"), row("The Killer", 2023, site_id="/b")

    assert [made.reasons for made in match(first, second)] == [(Code.SAME_NAME(),)] * 2
    assert match(first, first)[0].movie_id is not None


@pytest.mark.wording
def test_reasons_name_the_years_there_are():
    for year in (1978, 2007, 2018, 1990, 2030):
        MovieFactory(title="Halloween", year=year)
    without, wrong, nothing = match(row("Halloween"), row("Halloween", 1950), row("Hallo", 1950))

    listed = "Halloween (1978), Halloween (2007), Halloween (2018) and 2 more"
    assert describe(without.reasons) == f"Several movies match: {listed}"
    assert describe(wrong.reasons) == f"Not in the catalogue. Similar titles: {listed}"
    assert nothing.reasons == (Code.NOT_FOUND(),)


def test_matching_reads_the_catalogue_once():
    MovieFactory.create_batch(30)
    with CaptureQueriesContext(connection) as queries:
        match(*(row(f"Movie {number}", 1990) for number in range(500)))

    assert len(queries) == 2
