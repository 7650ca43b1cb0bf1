"""Property: importing an export restores the same data, for any titles in the catalogue."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.imports.commit import commit_import
from catalog.imports.formats import export_ratings
from catalog.imports.lifecycle import create_import, read_import
from catalog.ingest.titles import Name
from catalog.models import Movie, Rating, User, Viewing, WatchlistItem
from tests.catalog.imports.labelled_uploads import catalogue
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

ODD = [
    "Hate (La Haine)", "Aliens (Special Edition)", "(Untitled)", "(500) Days", "Clowns (It)", "It", "Up", "Up (Up)",
    '"Great Performances" Cats', "11'09\"01 - September 11", "Matrix, The", "The Matrix", "Space (1999)", "1984",
    "=SUM(1)", "'=SUM(1)", "''+1", "-30-", "@home", "+1",
    "a;b", "a\tb", "a,b", "'", "½", "Birdman or (The Unexpected Virtue)", "M*A*S*H", "sep=;", "Name", "ß",
    "SS", "Star Wars: Episode IV - A New Hope", "Star Wars", "A New Hope", "Nine", "9", "Rocky II", "Rocky 2", "An",
    "The", ".",
]  # fmt: skip
TITLES = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
YEARS = st.none() | st.integers(1990, 1993)


@st.composite
def movies(draw, *, with_ids):
    found = draw(st.lists(st.tuples(TITLES.filter(str.strip), YEARS), min_size=1, max_size=4))
    made = []
    for number, (title, year) in enumerate(found, 1):
        ids = {"imdb_id": f"tt{number:07}", "tmdb_id": number, "movielens_id": number} if with_ids else {}
        made.append(Movie(title=title, year=year, **ids))
    return made


def state(user: User) -> dict[str, set[tuple]]:
    return {
        "ratings": set(Rating.objects.filter(user=user).values_list("movie", "rating", "rated_at__date")),
        "viewings": set(Viewing.objects.filter(user=user).values_list("movie", "watched_on", "is_rewatch")),
        "watchlist": set(WatchlistItem.objects.filter(user=user).values_list("movie", "added_at__date")),
    }


def give_data(user: User, made: list[Movie]) -> None:
    day = datetime(2024, 5, 1, tzinfo=UTC)
    for number, movie in enumerate(Movie.objects.order_by("pk")):
        if number % 4 != 3:
            Rating.objects.create(user=user, movie=movie, rating=(number % 10 + 1) / 2, rated_at=day)
        if number % 3 != 2:
            watched_on = date(2023, 1, 31) if number % 2 else None
            Viewing.objects.create(user=user, movie=movie, watched_on=watched_on)
        if number % 4 == 3:
            WatchlistItem.objects.create(user=user, movie=movie, added_at=day)


def imported_again(format: str, made: list[Movie]) -> tuple[dict, dict, list]:
    """The state of who exported and of who imported, and the rows without a movie."""
    with transaction.atomic():
        Movie.objects.bulk_create(made)
        ada, nora = UserFactory(), UserFactory()
        give_data(ada, made)
        export = export_ratings(user=ada, format=format)
        user_import = create_import(user=nora, format=format, name=export.name, content=export.content)
        assert read_import(import_id=user_import.pk)
        user_import.refresh_from_db()
        unmatched = list(user_import.rows.filter(movie=None).values_list("file", "title", "year", "reasons"))
        commit_import(user_import)
        found = state(ada), state(nora), unmatched
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("format", ["csv", "letterboxd", "trakt", "imdb"])
@settings(max_examples=15, suppress_health_check=SLOW)
@given(made=movies(with_ids=True))
def test_movies_with_ids_come_back_whatever_their_titles(format, made):
    exported, imported, unmatched = imported_again(format, made)

    assert unmatched == []
    assert imported == exported | ({"viewings": set()} if format == "imdb" else {})


@pytest.mark.parametrize("format", ["letterboxd", "trakt", "imdb"])
@settings(max_examples=15, suppress_health_check=SLOW)
@given(made=movies(with_ids=False))
def test_movies_without_ids_come_back_by_their_names(format, made):
    made = list({Name.of(movie.title).loose: movie for movie in made}.values())
    exported, imported, unmatched = imported_again(format, made)

    assert unmatched == []
    assert imported == exported | ({"viewings": set()} if format == "imdb" else {})


@pytest.mark.parametrize("format", ["csv", "letterboxd", "trakt", "imdb"])
@pytest.mark.parametrize("with_ids", [True, False])
def test_the_whole_labelled_catalogue_comes_back(format, with_ids):
    """Remakes, brackets and films under several names; of a film that is there twice, one."""
    found = {(Name.of(movie.title).loose, movie.year): movie for movie in catalogue()}.values()
    made = [
        Movie(
            title=movie.title,
            year=movie.year,
            original_title=movie.other,
            imdb_id=movie.imdb_id or None if with_ids else None,
            tmdb_id=int(movie.tmdb_id) if movie.tmdb_id and with_ids else None,
        )
        for movie in found
    ]
    exported, imported, unmatched = imported_again(format, made)

    assert len(exported["ratings"]) > 200
    assert unmatched == []
    assert imported == exported | ({"viewings": set()} if format == "imdb" else {})
