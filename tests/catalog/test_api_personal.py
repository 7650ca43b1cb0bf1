"""The API of the diary and lists."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.diary import record_viewing
from catalog.lists import add_to_list, create_list
from catalog.services import add_to_watchlist, record_rating
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(api, nora):
    api.force_authenticate(nora)
    return api


def test_a_viewing_is_added_read_changed_and_deleted(me, nora, movie):
    record_rating(user=nora, movie=movie, rating=4.5)
    add_to_watchlist(user=nora, movie=movie)
    sent = {"movie": movie.pk, "watched_on": "2026-05-31", "note": "With Ada."}
    made = me.post("/api/v1/diary/", sent, format="json")
    entry = made.json()
    assert made.status_code == 201
    assert entry == {
        "id": entry["id"],
        "movie": movie.pk,
        "title": "Heat",
        "watched_on": "2026-05-31",
        "is_rewatch": False,
        "note": "With Ada.",
        "rating": 4.5,
        "recorded_at": entry["recorded_at"],
    }
    assert me.get("/api/v1/diary/").json()["results"] == [entry]
    assert not nora.watchlist.exists()
    assert me.post("/api/v1/diary/", {**sent, "note": "Alone."}, format="json").status_code == 200

    address = f"/api/v1/diary/{entry['id']}/"
    changed = me.patch(address, {"watched_on": None}, format="json")
    assert changed.json() == entry | {"watched_on": None, "note": "Alone."}
    assert me.delete(address).status_code == 204
    assert me.delete(address).status_code == 404


def test_a_viewing_is_today_unless_told(me, movie):
    entry = me.post("/api/v1/diary/", {"movie": movie.pk}, format="json").json()

    assert entry["watched_on"] == timezone.localdate().isoformat()


@pytest.mark.parametrize("day", ["2026-5-1", "20260501", "2026-W20-1", "2026-05-01T10:00:00Z", 7, "", "2026-02-30"])
def test_a_day_has_one_form(me, movie, day):
    answer = me.post("/api/v1/diary/", {"movie": movie.pk, "watched_on": day}, format="json")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["watched_on"]


def test_a_day_that_cannot_be_is_a_conflict(me, nora, movie):
    tomorrow = (timezone.now() + timedelta(days=2)).date().isoformat()
    for day in (tomorrow, "0001-01-01"):
        answer = me.post("/api/v1/diary/", {"movie": movie.pk, "watched_on": day}, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_viewing")
    for day in (1, 2):
        viewing, _ = record_viewing(user=nora, movie=movie, watched_on=date(2026, 5, day))
    taken = me.patch(f"/api/v1/diary/{viewing.pk}/", {"watched_on": "2026-05-01"}, format="json")
    assert (taken.status_code, list(taken.json()["error"]["fields"])) == (409, ["watched_on"])


def test_a_list_is_made_filled_ordered_and_deleted(me):
    made = me.post("/api/v1/lists/", {"name": "Best", "is_public": True}, format="json")
    address = f"/api/v1/lists/{made.json()['id']}/"
    assert made.status_code == 201
    movies = [MovieFactory(title=title) for title in "ABC"]
    for movie in movies:
        assert me.put(f"{address}movies/{movie.pk}/").status_code == 201
    assert me.put(f"{address}movies/{movies[2].pk}/", {"position": 1}, format="json").status_code == 200
    assert me.delete(f"{address}movies/{movies[0].pk}/").status_code == 204
    assert me.delete(f"{address}movies/{movies[0].pk}/").status_code == 404

    whole = me.get(address).json()
    assert [item["title"] for item in whole["movies"]] == ["C", "B"]
    assert whole["n_movies"] == 2
    [listed] = me.get("/api/v1/lists/").json()["results"]
    assert listed == {name: value for name, value in whole.items() if name != "movies"}
    assert me.patch(address, {"name": "Better"}, format="json").json()["name"] == "Better"
    assert me.delete(address).status_code == 204
    assert me.get(address).status_code == 404


def test_a_new_movie_is_put_at_its_position(me, nora, movie):
    row = create_list(user=nora, name="Best")
    add_to_list(row, MovieFactory())
    answer = me.put(f"/api/v1/lists/{row.pk}/movies/{movie.pk}/", {"position": 1}, format="json")

    assert (answer.status_code, row.items.first().movie) == (201, movie)


def test_a_list_that_cannot_be_is_a_conflict(me, nora):
    create_list(user=nora, name="Best")
    for name in ("Best", " ", " Best "):
        answer = me.post("/api/v1/lists/", {"name": name}, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_list")


def test_what_others_keep_is_not_there(me, bob, movie):
    viewing, _ = record_viewing(user=bob, movie=movie, watched_on=None)
    row = create_list(user=bob, name="Best", is_public=True)
    add_to_list(row, movie)

    assert me.get("/api/v1/diary/").json()["results"] == me.get("/api/v1/lists/").json()["results"] == []
    for method in (me.patch, me.delete):
        assert method(f"/api/v1/diary/{viewing.pk}/").status_code == 404
        assert method(f"/api/v1/lists/{row.pk}/").status_code == 404
    assert me.get(f"/api/v1/lists/{row.pk}/").status_code == 404
    for method in (me.put, me.delete):
        assert method(f"/api/v1/lists/{row.pk}/movies/{movie.pk}/").status_code == 404


def test_an_unknown_movie_is_not_found(me, nora):
    row = create_list(user=nora, name="Best")
    answers = [
        me.post("/api/v1/diary/", {"movie": 987654}, format="json"),
        me.put(f"/api/v1/lists/{row.pk}/movies/987654/"),
        me.delete(f"/api/v1/lists/{row.pk}/movies/987654/"),
    ]

    assert [answer.json()["error"]["code"] for answer in answers] == ["movie_not_found"] * 3


@pytest.mark.parametrize("address", ["diary", "lists"])
def test_it_needs_somebody(api, address):
    assert api.get(f"/api/v1/{address}/").status_code == 401
    assert api.post(f"/api/v1/{address}/", {}).status_code == 401
