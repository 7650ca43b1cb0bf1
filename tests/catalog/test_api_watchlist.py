import pytest

from catalog.services import add_to_watchlist
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def test_a_movie_is_put_on_the_list_read_and_taken_off(api, nora):
    movie = MovieFactory(title="Heat")
    address = f"/api/v1/watchlist/{movie.pk}/"
    api.force_authenticate(nora)

    assert api.get(address).status_code == 404
    assert api.put(address).status_code == 201
    assert api.put(address).status_code == 200
    item = api.get(address).json()
    assert item == {"movie": movie.pk, "title": "Heat", "added_at": item["added_at"]}
    assert api.get("/api/v1/watchlist/").json()["results"] == [item]
    assert api.delete(address).status_code == 204
    assert api.delete(address).status_code == 404


def test_the_lists_of_others_are_not_there(api, nora, bob):
    movie = MovieFactory()
    add_to_watchlist(user=bob, movie=movie)
    api.force_authenticate(nora)

    assert api.get("/api/v1/watchlist/").json()["results"] == []
    assert api.get(f"/api/v1/watchlist/{movie.pk}/").status_code == 404
    assert api.delete(f"/api/v1/watchlist/{movie.pk}/").status_code == 404
    assert bob.watchlist.count() == 1


def test_an_unknown_movie_is_not_found(api, nora):
    api.force_authenticate(nora)

    assert api.put("/api/v1/watchlist/987654/").json()["error"]["code"] == "movie_not_found"


def test_the_list_needs_somebody(api):
    assert api.get("/api/v1/watchlist/").status_code == 401
