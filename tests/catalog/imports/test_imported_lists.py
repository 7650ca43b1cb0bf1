"""Likes, favourites and lists of other sites become lists here; a second import adds only what is missing."""

import csv
from io import StringIO

import pytest
from django.utils import translation

from catalog.imports.commit import commit_import
from catalog.imports.files import files_of
from catalog.imports.formats import export_ratings
from catalog.imports.lifecycle import create_import, read_import
from catalog.lists import add_to_list, change_list, create_list, move_in_list, remove_from_list
from catalog.models import MovieList, UserImport
from catalog.models.personal import MAX_LIST_LENGTH, MAX_LISTS
from tests.catalog.imports.site_files import WATCHED, table, zipped
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db

COLUMNS = ["Position", "Name", "Year", "URL", "Description"]


def list_file(name: str, *movies, description: str = "") -> bytes:
    about = table(["Date", "Name", "Tags", "URL", "Description"], ["2024-07-01", name, "", "", description])
    rows = [[place, movie.title, movie.year, "", ""] for place, movie in enumerate(movies, 1)]
    return b"Letterboxd list export v7\n" + about + b"\n" + table(COLUMNS, *rows)


def imported(user, files: dict[str, bytes]) -> UserImport:
    user_import = create_import(user=user, format="letterboxd", name="x.zip", content=zipped(files))
    assert read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    return commit_import(user_import)


def titles(movie_list: MovieList) -> list[str]:
    return list(movie_list.items.values_list("movie__title", flat=True))


def added(user_import: UserImport) -> tuple[int, int, int]:
    return tuple(user_import.counts[name] for name in ("lists_new", "list_movies_new", "list_movies_left"))


@pytest.fixture
def heat():
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def ran():
    return MovieFactory(title="Ran", year=1985)


def test_a_list_keeps_its_order_and_its_text(nora, heat, ran):
    done = imported(nora, {"lists/best.csv": list_file("Best", ran, heat, description="Of all.\n\nReally.")})

    best = nora.lists.get()
    assert (best.name, best.description, best.is_public) == ("Best", "Of all.\n\nReally.", False)
    assert titles(best) == ["Ran", "Heat"]
    assert added(done) == (1, 2, 0)
    assert not nora.ratings.exists()
    assert not nora.viewings.exists()
    assert not nora.watchlist.exists()


def test_the_same_file_again_changes_no_list(nora, heat, ran):
    files = {"lists/best.csv": list_file("Best", ran, heat), "likes/films.csv": table(WATCHED, ["", "Heat", 1995, ""])}
    imported(nora, files)
    before = list(nora.lists.order_by("pk").values())

    assert added(imported(nora, files)) == (0, 0, 0)
    assert list(nora.lists.order_by("pk").values()) == before


def test_what_was_changed_here_is_kept_and_the_rest_added(nora, heat, ran):
    imported(nora, {"lists/best.csv": list_file("Best", ran, heat, description="Old.")})
    best, up = nora.lists.get(), MovieFactory(title="Up", year=2009)
    change_list(best, description="Mine.", is_public=True)
    move_in_list(best, heat, 1)
    remove_from_list(best, ran)
    add_to_list(best, up)

    done = imported(nora, {"lists/best.csv": list_file("Best", ran, heat, description="New.")})

    best.refresh_from_db()
    assert (best.description, best.is_public, titles(best)) == ("Mine.", True, ["Heat", "Up", "Ran"])
    assert added(done) == (0, 1, 0)


def test_lists_of_others_are_never_touched(nora, heat):
    create_list(user=UserFactory(), name="Best")

    imported(nora, {"lists/best.csv": list_file("Best", heat)})

    assert {found.user: found.items.count() for found in MovieList.objects.all()}[nora] == 1
    assert MovieList.objects.exclude(user=nora).get().items.count() == 0


def test_movies_beyond_the_limits_are_counted(nora, heat, ran, monkeypatch):
    assert (MAX_LISTS, MAX_LIST_LENGTH) > (1, 1)
    monkeypatch.setattr("catalog.imports.lists.MAX_LISTS", 1)
    monkeypatch.setattr("catalog.imports.lists.MAX_LIST_LENGTH", 1)

    done = imported(nora, {"lists/a.csv": list_file("A", ran, heat), "lists/b.csv": list_file("B", heat)})

    assert added(done) == (1, 1, 2)
    assert titles(nora.lists.get()) == ["Ran"]


@pytest.mark.wording
def test_likes_have_a_name_in_the_language_of_the_upload(nora, heat):
    files = {"likes/films.csv": table(WATCHED, ["", "Heat", 1995, ""])}
    with translation.override("vi"):
        user_import = create_import(user=nora, format="letterboxd", name="x.zip", content=zipped(files))
    with translation.override("en"):  # of the worker
        assert read_import(import_id=user_import.pk)
        user_import.refresh_from_db()
        commit_import(user_import)

    assert nora.lists.get().name == "Đã thích"


def test_a_list_without_a_found_movie_is_not_made(nora, heat):
    heat.delete()
    done = imported(nora, {"lists/best.csv": list_file("Best", heat)})

    assert (added(done), nora.lists.count()) == ((0, 0, 0), 0)


def test_an_export_holds_lists_and_imports_to_the_same(nora, heat, ran):
    """The cells of a list are no formulas, and its texts may hold anything."""
    best = create_list(user=nora, name='=SUM(1), "best"', description="+1\n\nPosition,Name\n")
    for movie in (ran, heat):
        add_to_list(best, movie)
    create_list(user=nora, name="Empty")
    export = export_ratings(user=nora, format="letterboxd")
    files = [file for file in files_of(export.name, export.content) if file.path.startswith("lists/")]
    cells = [cell for file in files for row in csv.reader(StringIO(file.text())) for cell in row]
    ada = UserFactory()
    imported(ada, {file.path: file.content for file in files_of(export.name, export.content)})

    assert len(files) == 2
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    copy = ada.lists.get()
    assert (copy.name, copy.description, titles(copy)) == (best.name, best.description, ["Ran", "Heat"])


def test_the_preview_shows_the_list_of_a_row(client, nora, heat):
    files = {"lists/best.csv": list_file("Best of all", heat)}
    user_import = create_import(user=nora, format="letterboxd", name="x.zip", content=zipped(files))
    assert read_import(import_id=user_import.pk)
    client.force_login(nora)

    assert "Best of all" in client.get("/import/?show=matched").content.decode()
