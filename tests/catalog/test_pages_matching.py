"""Pages that offer movies for unmatched rows and events: suggestions, a search field, the remembered choice."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.hooks.services import create_hook
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import read_import
from catalog.models import HookEvent, ImportRow, MatchChoice, Movie, Rating, UserImport, Viewing
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

CSV = b"title,year,rating\n"
SERVERS = "/accounts/media-servers/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client, nora) -> Client:
    client.force_login(nora)
    return client


@pytest.fixture
def heat() -> Movie:
    return MovieFactory(title="Heat", year=1995)


def upload(page: Client, rows: bytes = b"Heat,1990,4\n") -> UserImport:
    page.post("/import/", {"format": "csv", "file": SimpleUploadedFile("ratings.csv", CSV + rows)})
    user_import = UserImport.objects.latest("pk")
    read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    return user_import


def address_of(row: ImportRow) -> str:
    return reverse("catalog:match-row", args=[row.pk])


def text_of(response) -> str:
    return response.content.decode()


def options_in(response) -> list[str]:
    found = re.findall(r'<button [^>]*name="movie" value="(\d+)">', text_of(response))
    return [str(Movie.objects.get(pk=pk)) for pk in found]


@pytest.mark.wording
def test_a_suggestion_is_chosen_and_undone_without_scripts(page, heat, nora):
    row = upload(page).rows.get()
    preview = page.get("/import/?show=unmatched")
    assert options_in(preview) == ["Heat (1995)"]
    back = {"next": "/import/?show=unmatched&page=1"}
    chosen = page.post(address_of(row), back | {"movie": heat.pk}, follow=True)

    assert chosen.redirect_chain == [("/import/?show=unmatched&page=1", 302)]
    assert "Heat is Heat (1995) now." in text_of(chosen)
    assert "1 of 1 row found in the catalogue" in text_of(chosen)
    found = text_of(page.get("/import/?show=matched"))
    assert "You chose this movie." in found and 'name="undo"' in found
    page.post(address_of(row), {"undo": "1"})
    assert "0 of 1 row found in the catalogue" in text_of(page.get("/import/"))

    page.post(address_of(row), {"movie": heat.pk})
    commit_import(UserImport.objects.get())
    assert Rating.objects.get(user=nora).movie == heat


@pytest.mark.wording
def test_none_of_these_hides_the_suggestions(page, heat):
    row = upload(page).rows.get()
    answer = page.post(address_of(row), {"none": "1"}, follow=True)

    assert options_in(answer) == []
    assert "You said that none of the suggestions is right." in text_of(answer)
    assert options_in(page.post(address_of(row), {"undo": "1"}, follow=True)) == ["Heat (1995)"]


@pytest.mark.wording
def test_a_movie_is_searched_by_title(page, heat):
    row = upload(page, b"Blind Fury,1990,4\n").rows.get()
    assert options_in(page.get("/import/")) == []
    found = page.get(address_of(row), {"q": "heat", "next": "/import/?show=unmatched"})

    assert options_in(found) == ["Heat (1995)"]
    assert "<html" in text_of(found) and "/import/?show=unmatched" in text_of(found)
    fragment = page.get(address_of(row), {"q": "heat"}, headers=HTMX)
    assert options_in(fragment) == ["Heat (1995)"]
    assert "<html" not in text_of(fragment)
    assert "No movie matches “nothing”." in text_of(page.get(address_of(row), {"q": "nothing"}, headers=HTMX))
    assert page.get(address_of(row), {"q": "a\0b"}).status_code == 200
    assert page.get(address_of(row)).status_code == 200


def test_htmx_gets_the_row_and_what_else_changes(page, heat):
    row = upload(page, b"Heat,1990,4\nOther,1991,3\n").rows.first()
    answer = text_of(page.post(address_of(row), {"movie": heat.pk, "next": "/import/?show=unmatched"}, headers=HTMX))

    assert "<html" not in answer
    assert f'<li id="row-{row.pk}">' in answer
    for place in ("import-facts", "import-tabs", "import-buttons"):
        assert re.search(rf'id="{place}"[^>]* hx-swap-oob="true"', answer)
    assert '?show=unmatched" aria-current' in answer
    undone = page.post(address_of(row), {"undo": "1"}, headers=HTMX)
    assert options_in(undone) == ["Heat (1995)"]


def test_htmx_loads_the_page_if_several_rows_change(page, heat):
    row = upload(page, b"Heat,1990,4\nHeat,1990,3\n").rows.first()
    answer = page.post(address_of(row), {"movie": heat.pk, "next": "/import/?page=1"}, headers=HTMX)

    assert answer["HX-Redirect"] == "/import/?page=1"
    assert not ImportRow.objects.filter(movie=None).exists()


@pytest.mark.wording
def test_after_the_commit_a_choice_is_imported(page, heat, nora):
    user_import = upload(page)
    commit_import(user_import)
    row = user_import.rows.get()
    assert options_in(page.get("/import/")) == ["Heat (1995)"]
    answer = text_of(page.post(address_of(row), {"movie": heat.pk}, headers=HTMX))

    assert "It is imported." in answer
    assert Rating.objects.get(user=nora).movie == heat
    gone = page.post(address_of(row), {"movie": heat.pk})
    assert gone.status_code == 404
    assert "There is no such row any more" in text_of(gone)


@pytest.mark.parametrize("movie", [None, "", "x", "0", "9" * 30, "²"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_choice_of_nothing_is_refused(page, heat, movie, headers):
    row = upload(page).rows.get()
    answer = page.post(address_of(row), {} if movie is None else {"movie": movie}, headers=headers)

    assert answer.get("HX-Redirect", answer.get("Location")) == "/import/"
    assert 'class="error"' in text_of(page.get("/import/"))
    assert not MatchChoice.objects.exists()


def test_a_movie_that_was_deleted_is_said(page, heat):
    row = upload(page).rows.get()
    answer = page.post(address_of(row), {"movie": heat.pk + 1}, follow=True)

    assert 'class="error"' in text_of(answer)
    assert not MatchChoice.objects.exists()


def test_rows_of_others_are_not_there(page, heat, bob):
    row = upload(page).rows.get()
    page.post(address_of(row), {"movie": heat.pk})
    choice = MatchChoice.objects.get()
    page.force_login(bob)

    assert page.get(address_of(row)).status_code == 404
    assert page.post(address_of(row), {"undo": "1"}).status_code == 404
    assert page.post(f"/import/choices/{choice.pk}/forget/").status_code == 404
    assert "Heat" not in text_of(page.get("/import/choices/"))
    page.logout()
    assert page.get(address_of(row)).status_code == 302


@pytest.mark.wording
def test_choices_are_listed_and_forgotten(page, heat):
    assert "You have not chosen any yet." in text_of(page.get("/import/choices/"))
    page.post(address_of(upload(page).rows.get()), {"movie": heat.pk})
    listed = text_of(page.get("/import/choices/"))
    assert "1990" in listed and heat.get_absolute_url() in listed
    forgotten = page.post(f"/import/choices/{MatchChoice.objects.get().pk}/forget/", follow=True)

    assert "The choice is forgotten." in text_of(forgotten)
    assert "0 of 1 row found in the catalogue" in text_of(page.get("/import/"))


def test_a_full_page_takes_few_queries(page, heat):
    upload(page, b"".join(b"Heat number %d,1990,4\n" % number for number in range(120)))
    with CaptureQueriesContext(connection) as queries:
        answer = page.get("/import/?page=2")

    assert text_of(answer).count('role="search"') >= 50
    assert len(queries) <= 15


def event_of(user, **values) -> HookEvent:
    hook = getattr(user, "hook", None) or create_hook(user=user).row
    standard = {"service": "plex", "kind": "watched", "title": "Heat", "year": 1990, "outcome": "unmatched"}
    standard |= {"happened_at": "2026-05-31T22:00:00Z", "identity": {"title": "plex 1990 heat"}}
    return HookEvent.objects.create(hook=hook, **standard | values)


def test_a_movie_is_chosen_for_an_event(page, heat, nora):
    event = event_of(nora)
    address = reverse("catalog:match-event", args=[event.pk])
    assert options_in(page.get(SERVERS)) == ["Heat (1995)"]
    assert options_in(page.get(address, {"q": "heat"}, headers=HTMX)) == ["Heat (1995)"]
    answer = page.post(address, {"movie": heat.pk}, follow=True)

    assert answer.redirect_chain == [(SERVERS, 302)]
    assert str(Viewing.objects.get(user=nora).watched_on) == "2026-05-31"
    assert options_in(answer) == []
    page.post(address, {"movie": heat.pk})
    assert Viewing.objects.count() == 1


def test_none_of_the_movies_of_an_event_is_undone(page, heat, nora):
    address = reverse("catalog:match-event", args=[event_of(nora).pk])
    assert options_in(page.post(address, {"none": "1"}, follow=True)) == []
    assert options_in(page.post(address, {"undo": "1"}, follow=True)) == ["Heat (1995)"]


@pytest.mark.wording
def test_events_are_looked_up_again(page, nora):
    event_of(nora)
    assert "The catalogue still has none of these movies." in text_of(page.post(f"{SERVERS}again/", follow=True))
    MovieFactory(title="Heat", year=1990)

    assert "1 event was matched now." in text_of(page.post(f"{SERVERS}again/", follow=True))
    assert Viewing.objects.get(user=nora).movie.year == 1990


def test_events_of_others_are_not_there(page, heat, bob):
    address = reverse("catalog:match-event", args=[event_of(bob).pk])

    assert page.get(address).status_code == 404
    assert page.post(address, {"movie": heat.pk}).status_code == 404
    assert page.post(f"{SERVERS}again/").status_code == 302
