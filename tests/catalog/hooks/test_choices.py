"""Choosing the movie of an event that was not matched: recorded once, remembered for later events and files."""

from datetime import date

import pytest

from catalog.errors import InvalidMatch, MovieNotFound, RowNotFound
from catalog.hooks.services import create_hook, remove_hook
from catalog.hooks.unmatched import choose_movie_of_event, match_events_again, undo_choice_of_event
from catalog.imports.choices import choose_movie
from catalog.imports.lifecycle import create_import, read_import
from catalog.models import HookEvent, ImportRow, MatchChoice, Rating
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

AT = "2026-05-30T23:30:00-05:00"  # already the next day in UTC


def event(send, **payload: object) -> str:
    standard = {"event": "watched", "title": "Hit", "year": 1994, "at": AT}
    return send("json", {"sent_as": "json", "payload": standard | payload}).json()["outcome"]


def test_a_viewing_is_recorded_on_the_day_of_the_server_once(send, nora, alien):
    assert [event(send), event(send)] == ["unmatched"] * 2
    row = HookEvent.objects.get()
    choose_movie_of_event(user=nora, event_id=row.pk, movie_id=alien.pk)

    assert list(nora.viewings.values_list("movie", "watched_on")) == [(alien.pk, date(2026, 5, 30))]
    row.refresh_from_db()
    assert (row.outcome, row.movie, row.choice) == ("added", alien, "movie")
    with pytest.raises(InvalidMatch):
        choose_movie_of_event(user=nora, event_id=row.pk, movie_id=alien.pk)


def test_later_events_and_files_use_the_choice(send, nora, alien):
    event(send, imdb_id="tt0000009")
    choose_movie_of_event(user=nora, event_id=HookEvent.objects.get().pk, movie_id=alien.pk)

    assert event(send, imdb_id="tt0000009", title="Other", at="2026-06-02T20:00:00Z") == "added"
    assert event(send, title="Hit", at="2026-06-09T20:00:00Z") == "unmatched"  # not the id
    content = b"title,year,imdb_id,rating\nThird,,tt0000009,4\n"
    read_import(import_id=create_import(user=nora, format="csv", name="a.csv", content=content).pk)
    assert ImportRow.objects.get().movie == alien


def test_an_event_uses_a_choice_made_for_a_file(send, nora, alien):
    content = b"title,year,imdb_id,rating\nThird,,tt0000009,4\n"
    read_import(import_id=create_import(user=nora, format="csv", name="a.csv", content=content).pk)
    choose_movie(user=nora, row_id=ImportRow.objects.get().pk, movie_id=alien.pk)

    assert event(send, imdb_id="tt0000009") == "added"


def test_all_unmatched_events_of_a_movie_are_recorded(send, nora, alien):
    event(send)
    event(send, at="2026-06-02T20:00:00Z")
    event(send, event="rated", rating=4.5)
    event(send, year=1993)
    first = HookEvent.objects.order_by("pk").first()
    choose_movie_of_event(user=nora, event_id=first.pk, movie_id=alien.pk)

    assert set(nora.viewings.values_list("watched_on", "is_rewatch")) == {
        (date(2026, 5, 30), False),
        (date(2026, 6, 2), True),
    }
    assert Rating.objects.get(user=nora).rating == 4.5
    assert sorted(HookEvent.objects.values_list("outcome", flat=True)) == ["added", "added", "rated", "unmatched"]


def test_a_showing_that_another_server_reported_is_known(send, nora, alien):
    event(send)
    assert event(send, title="Alien", year=1979) == "added"
    choose_movie_of_event(user=nora, event_id=HookEvent.objects.get(outcome="unmatched").pk, movie_id=alien.pk)

    assert nora.viewings.count() == 1
    assert HookEvent.objects.get(title="Hit").outcome == "known"


def test_none_of_them_waits_for_the_movie(send, nora, alien):
    event(send)
    row = HookEvent.objects.get()
    choose_movie_of_event(user=nora, event_id=row.pk, movie_id=None)
    event(send, at="2026-06-02T20:00:00Z")
    assert set(HookEvent.objects.values_list("choice", "outcome")) == {("none", "unmatched")}
    undo_choice_of_event(user=nora, event_id=row.pk)
    assert set(HookEvent.objects.values_list("choice", flat=True)) == {""}
    assert not MatchChoice.objects.exists()
    assert match_events_again(user=nora) == 0
    MovieFactory(title="Hit", year=1994)

    assert match_events_again(user=nora) == 2
    assert nora.viewings.count() == 2
    assert match_events_again(user=nora) == 0


def test_a_missing_or_foreign_event_is_not_found(send, nora, bob, alien):
    event(send)
    row = HookEvent.objects.get()
    with pytest.raises(MovieNotFound):
        choose_movie_of_event(user=nora, event_id=row.pk, movie_id=alien.pk + 1)
    with pytest.raises(InvalidMatch):
        undo_choice_of_event(user=nora, event_id=row.pk)
    create_hook(user=bob)
    with pytest.raises(RowNotFound):
        choose_movie_of_event(user=bob, event_id=row.pk, movie_id=alien.pk)
    remove_hook(user=nora)
    with pytest.raises(RowNotFound):
        choose_movie_of_event(user=nora, event_id=row.pk, movie_id=alien.pk)
    assert match_events_again(user=nora) == 0
    assert not MatchChoice.objects.exists()
