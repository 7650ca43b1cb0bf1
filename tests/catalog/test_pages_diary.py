"""The diary: viewings, notes, and watched movies without a rating."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.diary import record_viewing, write_note
from catalog.models import Note, Viewing
from catalog.services import add_to_watchlist
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def watch(client, movie, day="2026-05-31", **values):
    return client.post(f"/movies/{movie.pk}/watched/", {"watched_on": day, **values}, follow=True)


def days_of(user) -> list[date | None]:
    return [viewing.watched_on for viewing in user.viewings.all()]


def test_a_viewing_is_added_changed_and_deleted(client, nora, movie):
    client.force_login(nora)
    watch(client, movie, note="With Ada.")
    viewing = nora.viewings.get()
    assert (viewing.watched_on, viewing.is_rewatch, viewing.note) == (date(2026, 5, 31), False, "With Ada.")

    page = client.get("/diary/").content.decode()
    assert 'datetime="2026-05-31"' in page
    assert "With Ada." in page
    client.post(f"/diary/{viewing.pk}/", {"watched_on": "2026-06-01", "is_rewatch": "on", "note": "Alone."})
    viewing.refresh_from_db()
    assert (viewing.watched_on, viewing.is_rewatch, viewing.note) == (date(2026, 6, 1), True, "Alone.")
    client.post(f"/diary/{viewing.pk}/", {"delete": "1"})
    assert not nora.viewings.exists()


def test_the_movie_page_offers_today_and_knows_a_rewatch(client, nora, movie):
    client.force_login(nora)
    first = client.get(movie.get_absolute_url()).context["watched_form"]
    assert (first["watched_on"].value(), first["is_rewatch"].value()) == (timezone.localdate().isoformat(), False)
    watch(client, movie)

    page = client.get(movie.get_absolute_url())
    assert page.context["watched_form"]["is_rewatch"].value()
    assert 'datetime="2026-05-31"' in page.content.decode()


def test_a_day_counts_once_and_replaces_an_unknown_one(client, nora, movie):
    client.force_login(nora)
    watch(client, movie, day="", note="Long ago.")
    watch(client, movie)
    watch(client, movie)  # a second click
    watch(client, movie, day="")
    assert days_of(nora) == [date(2026, 5, 31)]
    assert nora.viewings.get().note == "Long ago."
    watch(client, movie, day="2026-06-02")
    assert days_of(nora) == [date(2026, 6, 2), date(2026, 5, 31)]


def test_a_rewatch_is_known_by_its_day(nora, movie):
    later, _ = record_viewing(user=nora, movie=movie, watched_on=date(2026, 5, 2))
    earlier, _ = record_viewing(user=nora, movie=movie, watched_on=date(2026, 5, 1))
    last, _ = record_viewing(user=nora, movie=movie, watched_on=date(2026, 5, 3))

    assert (earlier.is_rewatch, later.is_rewatch, last.is_rewatch) == (False, False, True)


@pytest.mark.parametrize("day", ["1492-10-12", "2999-01-01", "31.05.2026", "tomorrow"])
def test_an_impossible_day_is_refused_and_nothing_lost(client, nora, movie, day):
    client.force_login(nora)
    sent = {"watched_on": day, "note": "My long note."}
    answer = client.post(f"/movies/{movie.pk}/watched/", sent, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert "My long note." in answer.content.decode()
    assert answer.context["watched_form"].errors["watched_on"]
    assert not nora.viewings.exists()


def test_today_is_today_where_the_day_begins_first(client, nora, movie):
    client.force_login(nora)
    ahead = (timezone.now() + timedelta(hours=13)).date()
    watch(client, movie, day=ahead.isoformat())

    assert days_of(nora) == [ahead]


def test_an_entry_cannot_move_to_a_day_that_is_taken(client, nora, movie):
    client.force_login(nora)
    watch(client, movie, day="2026-05-01")
    watch(client, movie, day="2026-05-02")
    first = nora.viewings.last()
    answer = client.post(f"/diary/{first.pk}/", {"watched_on": "2026-05-02", "note": "Kept."})

    assert answer.status_code == 422
    assert "Kept." in answer.content.decode()
    assert days_of(nora) == [date(2026, 5, 2), date(2026, 5, 1)]


def test_a_watched_movie_leaves_the_watchlist_and_its_button(client, nora, movie):
    add_to_watchlist(user=nora, movie=movie)
    client.force_login(nora)
    sent = {"watched_on": "2026-05-31"}
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{movie.get_absolute_url()}"}
    fragment = client.post(f"/movies/{movie.pk}/watched/", sent, headers=headers).content.decode()

    assert not nora.watchlist.exists()
    assert 'hx-swap-oob="outerHTML:' in fragment
    assert 'name="wanted" value="1"' in fragment


def test_the_diary_is_by_month_with_ratings_and_years(client, nora, alice):
    for day, rating in (("2025-12-31", 4.5), ("2026-01-01", None), ("2026-01-02", 2)):
        movie = MovieFactory(title=day)
        record_viewing(user=nora, movie=movie, watched_on=date.fromisoformat(day))
        RatingFactory(user=alice, movie=movie, rating=1)
        if rating:
            RatingFactory(user=nora, movie=movie, rating=rating)
    client.force_login(nora)
    page = client.get("/diary/")
    assert [row.rating for row in page.context["page"]] == [2, None, 4.5]
    assert page.content.decode().count('<section class="diary-month">') == 2
    assert [row.movie.title for row in client.get("/diary/?year=2025").context["page"]] == ["2025-12-31"]
    assert len(client.get("/diary/?year=1x").context["page"].object_list) == 3


def test_a_movie_is_found_by_title_and_added(client, nora, movie):
    client.force_login(nora)
    page = client.get("/diary/add/?q=heat").content.decode()
    assert f'action="/movies/{movie.pk}/watched/"' in page

    answer = watch(client, movie, next="/diary/")
    assert answer.redirect_chain == [("/diary/", 302)]
    assert not client.get("/diary/add/?q=nothing+like+it").context["movies"]


def test_watched_and_unrated_movies_wait_for_a_rating(client, nora):
    rated, waiting = MovieFactory.create_batch(2)
    for movie in (rated, waiting):
        record_viewing(user=nora, movie=movie, watched_on=None)
    RatingFactory(user=nora, movie=rated)
    client.force_login(nora)
    assert list(client.get("/diary/unrated/").context["page"]) == [waiting]

    client.post(f"/movies/{waiting.pk}/rating/", {"rating": "4", "next": "/diary/unrated/"})
    assert not client.get("/diary/unrated/").context["page"].object_list
    assert client.get("/diary/").context["n_unrated"] == 0


def test_a_note_is_written_shown_and_deleted(client, nora, movie):
    client.force_login(nora)
    client.post(f"/movies/{movie.pk}/note/", {"note": "Ask <Ada>\nabout it."})
    assert "Ask &lt;Ada&gt;<br>about it." in client.get(movie.get_absolute_url()).content.decode()
    refused = client.post(f"/movies/{movie.pk}/note/", {"note": "x" * 2001}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "x" * 2001 in refused.content.decode()
    assert Note.objects.get().text == "Ask <Ada>\nabout it."
    client.post(f"/movies/{movie.pk}/note/", {"note": " "})
    assert not Note.objects.exists()


def test_what_others_keep_is_not_there(client, nora, bob, movie):
    viewing, _ = record_viewing(user=bob, movie=movie, watched_on=date(2026, 5, 31), note="Secret one.")
    write_note(user=bob, movie=movie, text="Secret two.")
    client.force_login(nora)

    assert client.get(f"/diary/{viewing.pk}/").status_code == 404
    assert client.post(f"/diary/{viewing.pk}/", {"delete": "1"}).status_code == 404
    for address in ("/diary/", movie.get_absolute_url(), "/diary/unrated/"):
        assert "Secret" not in client.get(address).content.decode()
    assert Viewing.objects.filter(user=bob).count() == 1


def test_the_diary_needs_somebody(client, movie):
    for address in ("/diary/", "/diary/add/", "/diary/unrated/", "/diary/1/"):
        assert client.get(address)["Location"] == f"/accounts/sign-in/?next={address}"
    for address in ("watched", "note"):
        assert "/accounts/sign-in/" in client.post(f"/movies/{movie.pk}/{address}/")["Location"]
    client.logout()
    assert "own-form" not in client.get(movie.get_absolute_url()).content.decode()


def test_an_empty_diary_says_what_to_do(client, nora):
    client.force_login(nora)

    assert 'href="/diary/add/"' in client.get("/diary/").content.decode()
    assert 'href="/diary/add/"' in client.get("/diary/unrated/").content.decode()
