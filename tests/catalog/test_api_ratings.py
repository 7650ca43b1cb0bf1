import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.models import Rating
from catalog.services import record_rating
from tests.factories import MovieFactory, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def nora_api(api, nora):
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(nora)}")
    return api


def test_a_rating_is_posted_then_changed(nora_api, nora, movie):
    made = nora_api.post("/api/v1/ratings/", {"movie": movie.pk, "rating": 4.5}, format="json")
    changed = nora_api.post("/api/v1/ratings/", {"movie": movie.pk, "rating": 2}, format="json")

    assert (made.status_code, changed.status_code) == (201, 200)
    assert made.json()["rating"] == 4.5
    assert changed.json() == {
        "movie": movie.pk,
        "title": "Heat",
        "rating": 2.0,
        "rated_at": changed.json()["rated_at"],
    }
    assert Rating.objects.get(user=nora).rating == 2
    movie.refresh_from_db()
    assert (movie.rating_count, movie.rating_sum) == (1, 2)


def test_a_rating_is_put_read_and_deleted(nora_api, movie):
    address = f"/api/v1/ratings/{movie.pk}/"

    assert nora_api.get(address).status_code == 404
    assert nora_api.put(address, {"rating": 3}, format="json").status_code == 201
    assert nora_api.put(address, {"rating": 3.5}, format="json").status_code == 200
    assert nora_api.get(address).json()["rating"] == 3.5
    assert nora_api.delete(address).status_code == 204
    assert nora_api.delete(address).status_code == 404
    movie.refresh_from_db()
    assert (movie.rating_count, movie.rating_sum) == (0, 0)


def test_the_list_is_ones_own_the_latest_first(nora_api, nora, alice):
    for number, title, rating, month in ((31, "Alien", 4.5, 1), (32, "Heat", 3, 2)):
        moment = datetime(2026, month, month, 12, tzinfo=UTC)
        record_rating(user=nora, movie=MovieFactory(id=number, title=title), rating=rating, rated_at=moment)
    expected = json.loads((Path(__file__).parent.parent / "responses" / "ratings.json").read_text(encoding="utf-8"))

    assert nora_api.get("/api/v1/ratings/").json() == expected


def test_the_ratings_of_others_are_not_there(nora_api, bob):
    theirs = bob.ratings.first()
    address = f"/api/v1/ratings/{theirs.movie_id}/"

    assert nora_api.get(address).status_code == 404
    assert nora_api.delete(address).status_code == 404
    nora_api.put(address, {"rating": 1}, format="json")
    theirs.refresh_from_db()
    assert theirs.rating == 4


@pytest.mark.parametrize("rating", [7, 0, -1, 3.3, None, "good", True, [4], {"stars": 4}, 1e308])
def test_what_is_no_rating_is_refused_by_name(nora_api, movie, rating):
    answers = [
        nora_api.post("/api/v1/ratings/", {"movie": movie.pk, "rating": rating}, format="json"),
        nora_api.put(f"/api/v1/ratings/{movie.pk}/", {"rating": rating}, format="json"),
    ]

    for answer in answers:
        assert answer.status_code == 400
        assert list(answer.json()["error"]["fields"]) == ["rating"]
    assert not Rating.objects.exists()


@pytest.mark.parametrize("body", ["{", '{"rating": NaN}', "[1]", '"x"', ""])
def test_what_is_no_json_object_is_refused(nora_api, body):
    answer = nora_api.post("/api/v1/ratings/", body, content_type="application/json")

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_an_unknown_movie_is_not_found(nora_api):
    answers = [
        nora_api.post("/api/v1/ratings/", {"movie": 987654, "rating": 4}, format="json"),
        nora_api.put("/api/v1/ratings/987654/", {"rating": 4}, format="json"),
        nora_api.put(f"/api/v1/ratings/{10**30}/", {"rating": 4}, format="json"),
    ]

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "movie_not_found"
    assert "987654" in answers[0].json()["error"]["message"]


def test_ratings_need_somebody(api, movie):
    api.credentials(HTTP_AUTHORIZATION="Token 0123456789abcdef")
    for answer in (api.get("/api/v1/ratings/"), api.put(f"/api/v1/ratings/{movie.pk}/", {"rating": 4}, format="json")):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "authentication_failed"
    api.credentials()
    assert api.get("/api/v1/ratings/").json()["error"]["code"] == "not_authenticated"


def test_patch_is_not_offered(nora_api, movie):
    assert nora_api.patch(f"/api/v1/ratings/{movie.pk}/", {"rating": 4}, format="json").status_code == 405
