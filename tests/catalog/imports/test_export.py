import csv
from datetime import UTC, date, datetime
from io import StringIO

import pytest

from catalog.imports.commit import commit_import
from catalog.imports.files import files_of
from catalog.imports.formats import export_ratings
from catalog.imports.lifecycle import create_import, read_import
from catalog.models import Rating, User, Viewing, WatchlistItem
from tests.factories import MovieFactory, RatingFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """Two movies of one name and year among what she saw, and one without ids."""
    user = UserFactory(username="ada")
    first = MovieFactory(title="Emma", year=1996, imdb_id="tt0116191", tmdb_id=3573)
    second = MovieFactory(title="Emma", year=1996, imdb_id="tt0118308", tmdb_id=12254)
    plain = MovieFactory(title='"Amélie", she said', year=2001)
    for movie, stars in ((first, 0.5), (second, 4.5), (plain, 3)):
        RatingFactory(user=user, movie=movie, rating=stars, rated_at=datetime(2024, 5, 1, tzinfo=UTC))
    Viewing.objects.create(user=user, movie=first, watched_on=date(2023, 1, 31))
    Viewing.objects.create(user=user, movie=first, watched_on=date(2024, 1, 31), is_rewatch=True)
    Viewing.objects.create(user=user, movie=MovieFactory(title="Ran", year=1985))
    WatchlistItem.objects.create(user=user, movie=MovieFactory(title="Up", year=2009))
    return user


def state(user: User) -> dict[str, set[tuple]]:
    return {
        "ratings": set(Rating.objects.filter(user=user).values_list("movie", "rating", "rated_at__date")),
        "viewings": set(Viewing.objects.filter(user=user).values_list("movie", "watched_on", "is_rewatch")),
        "watchlist": set(WatchlistItem.objects.filter(user=user).values_list("movie", "added_at__date")),
    }


@pytest.mark.parametrize("format", ["letterboxd", "imdb", "trakt", "csv"])
def test_export_imports_to_the_same_data(ada, nora, format):
    export = export_ratings(user=ada, format=format)
    for user in (nora, ada):
        before = state(ada)
        user_import = create_import(user=user, format=format, name=export.name, content=export.content)
        read_import(import_id=user_import.pk)
        user_import.refresh_from_db()
        counts = commit_import(user_import).counts
        expected = before | ({"viewings": set()} if format == "imdb" and user == nora else {})

        assert counts["unmatched"] == 0
        assert state(user) == expected
    assert (counts["ratings_new"], counts["ratings_changed"], counts["viewings_new"]) == (0, 0, 0)


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1", "-30-", "@home", "'=1"])
@pytest.mark.parametrize("format", ["letterboxd", "imdb", "csv"])
def test_no_cell_is_a_formula_for_a_spreadsheet(nora, format, title):
    RatingFactory(user=nora, movie=MovieFactory(title=title, original_title=title, year=1999))
    export = export_ratings(user=nora, format=format)
    tables = [file.text() for file in files_of(export.name, export.content) if file.content]
    cells = [cell for text in tables for row in csv.reader(StringIO(text)) for cell in row]

    assert f"'{title}" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.mark.parametrize("format", ["letterboxd", "imdb", "trakt", "csv"])
def test_user_without_data_exports_an_empty_file(nora, format):
    assert export_ratings(user=nora, format=format).content


@pytest.mark.wording
def test_pages_and_api_give_it_to_its_owner_alone(client, api, ada):
    assert client.get("/accounts/export/csv/").status_code == 302
    assert api.get("/api/v1/export/csv/").status_code == 401
    client.force_login(ada)
    page, answer = client.get("/accounts/export/letterboxd/"), client.get("/api/v1/export/letterboxd/")

    assert page["Content-Disposition"] == 'attachment; filename="movierec-letterboxd.zip"'
    assert (page["Content-Type"], answer["Content-Type"]) == ("application/zip", "application/zip")
    assert client.get("/accounts/export/xml/").status_code == 404
    unknown = client.get("/api/v1/export/xml/")
    assert unknown.status_code == 404
    assert "Expected one of: letterboxd, imdb, trakt, csv" in unknown.json()["error"]["message"]


def test_a_noted_viewing_outlives_a_dated_one(nora):
    """An import replaces a viewing on an unknown day, but never what its owner wrote."""
    Viewing.objects.create(user=nora, movie=MovieFactory(title="Heat", year=1995), note="Long ago.")
    made = create_import(
        user=nora, format="csv", name="x.csv", content=b"title,year,watched_on\nHeat,1995,2020-05-01\n"
    )
    read_import(import_id=made.pk)
    made.refresh_from_db()
    commit_import(made)

    assert set(nora.viewings.values_list("watched_on", "note")) == {(date(2020, 5, 1), ""), (None, "Long ago.")}
