"""The welcome page: titles to rate and the resulting list, for visitors and users."""

import copy
import gc
import re
import weakref
from dataclasses import replace

import pytest
from django.contrib.sessions.models import Session

from catalog import guests
from catalog.models import Movie, Rating, User
from catalog.throttling import AnonThrottle
from recommender.estimators import Elicitation
from recommender.models import Impression
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest
from recommender.serving.titles import informative
from recommender.welcome import MAX_NOT_SEEN, NOT_SEEN
from tests.factories import MovieFactory, RatingFactory
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
SIGN_UP = {"username": "ada", "password": PASSWORD, "password_again": PASSWORD}


@pytest.fixture
def site(camps, train) -> dict[str, list[Movie]]:
    train()
    count_ratings()
    return camps


def answer(client, movie: Movie | int | str, said: object, **headers: str):
    return client.post("/welcome/", {"answer": f"{getattr(movie, 'pk', movie)}:{said}"}, headers=headers)


def like(client, movies: list[Movie]) -> None:
    for movie in movies:
        assert answer(client, movie, 5)["Location"] == "/welcome/"


def listed(response) -> list[Movie]:
    return [result.movie for result in response.context["recommendations"].results]


def test_a_visitor_sees_titles_to_rate_and_no_list_yet(client, site):
    response = client.get("/welcome/")
    assert len(response.context["wall"]) == len(set(response.context["wall"])) == 12
    assert response.context["recommendations"] is None
    assert not response.cookies.get("sessionid")


def test_three_ratings_of_a_visitor_make_a_list(client, site):
    liked = site["Science Fiction"][:3]
    like(client, liked)
    response = client.get("/welcome/")
    assert not set(response.context["wall"]) & set(liked)
    assert response.context["recommendations"].model_version == 1
    assert set(listed(response)[:4]) < set(site["Science Fiction"])
    before = listed(response)
    like(client, site["Romance"][:4])
    assert listed(client.get("/welcome/")) != before
    impressions.flush()
    assert not Impression.objects.exists()
    assert Rating.objects.filter(user__username__startswith="person").count() == Rating.objects.count()


def test_htmx_gets_the_wall_with_the_other_titles_in_place(client, site):
    wall = client.get("/welcome/").context["wall"]
    shown = ",".join(str(movie.pk) for movie in wall)
    response = client.post("/welcome/", {"answer": f"{wall[4].pk}:4", "shown": shown}, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    now = response.context["wall"]
    assert wall[4] not in now
    stayed = set(wall) & set(now)
    assert stayed
    assert all(now.index(movie) == wall.index(movie) for movie in stayed)


def test_titles_not_seen_are_asked_no_more(client, site):
    first, *_others = client.get("/welcome/").context["wall"]
    answer(client, first, "not-seen")
    wall = client.get("/welcome/").context["wall"]
    assert first not in wall
    shown = ",".join(str(movie.pk) for movie in wall)
    client.post("/welcome/", {"answer": ":none", "shown": shown})
    assert not set(client.get("/welcome/").context["wall"]) & {first, *wall}


def test_a_rating_can_be_changed_and_removed(client, site):
    movie = site["Romance"][0]
    for rating in (2, 4):
        answer(client, movie, rating)
        assert [(a.movie, a.rating) for a in client.get("/welcome/").context["answers"]] == [(movie, rating)]
    answer(client, movie, "remove")
    assert client.get("/welcome/").context["answers"] == []


@pytest.mark.parametrize("said", ["", "7", "0", "five", "4.25", "nan", "5:5"])
def test_bad_answers_change_nothing_and_are_explained(client, site, said):
    response = answer(client, site["Romance"][0], said, **{"HX-Request": "true"})
    assert response.status_code == 422
    assert response.context["error"]
    assert response.context["n_rated"] == 0


@pytest.mark.parametrize("movie", [0, "", "x", "\uff19", 10**30, 2**63 - 1])
def test_answers_on_unknown_movies_are_404(client, site, movie):
    assert answer(client, movie, 5).status_code == 404


def test_signing_up_keeps_the_ratings_of_the_session(client, site):
    liked = site["Science Fiction"][:3]
    like(client, liked)
    list_of_visitor = listed(client.get("/welcome/"))
    response = client.post("/accounts/sign-up/", SIGN_UP)
    assert response["Location"] == "/welcome/"
    assert set(Rating.objects.filter(user__username="ada").values_list("movie", "rating")) == {
        (movie.pk, 5.0) for movie in liked
    }
    assert guests.KEY not in client.session
    assert listed(client.get("/welcome/")) == list_of_visitor
    assert Movie.objects.get(pk=liked[0].pk).rating_count == liked[0].ratings.count()


def test_signing_in_overwrites_no_rating_of_the_account(client, site, nora):
    old, new, deleted = [*site["Romance"][:2], MovieFactory()]
    RatingFactory(user=nora, movie=old, rating=1.5)
    like(client, [old, new, deleted])
    deleted.delete()
    client.post("/accounts/sign-in/", {"username": "nora", "password": PASSWORD})
    assert dict(nora.ratings.values_list("movie", "rating")) == {old.pk: 1.5, new.pk: 5.0}
    assert guests.KEY not in client.session


def test_answers_of_a_user_are_ratings_and_the_list_is_recorded(client, site, nora):
    client.force_login(nora)
    like(client, site["Science Fiction"][:3])
    assert nora.ratings.count() == 3
    assert listed(client.get("/welcome/"))
    impressions.flush()
    assert Impression.objects.get().surface == "welcome"
    assert guests.KEY not in client.session
    answer(client, site["Science Fiction"][0], "remove")
    assert nora.ratings.count() == 2


def test_a_session_holds_a_bounded_number_of_answers(client, site, monkeypatch):
    monkeypatch.setattr(guests, "MAX_RATINGS", 2)
    like(client, site["Romance"][:3])
    assert list(client.session[guests.KEY]) == [str(movie.pk) for movie in site["Romance"][1:3]]
    for start in range(0, 2 * MAX_NOT_SEEN, 12):
        shown = ",".join(map(str, range(start, start + 40)))
        client.post("/welcome/", {"answer": ":none", "shown": shown}, REMOTE_ADDR=f"10.0.0.{start % 250}")
    assert len(client.session[NOT_SEEN]) == MAX_NOT_SEEN
    assert len(Session.objects.get().session_data) < 8000


@pytest.mark.wording
def test_answers_of_visitors_are_limited_by_address(client, site, monkeypatch):
    monkeypatch.setattr(AnonThrottle, "THROTTLE_RATES", {"anon": "2/min"})
    like(client, site["Romance"][:2])
    response = answer(client, site["Romance"][2], 5)
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()
    assert len(client.session[guests.KEY]) == 2


def test_titles_of_all_genres_in_turn_without_a_model(client, camps):
    count_ratings()
    wall = client.get("/welcome/").context["wall"]
    assert len(wall) == 12
    kinds = [re.sub(r" \d+", "", movie.title) for movie in wall]
    assert kinds == ["Romance", "Science Fiction"] * 6
    like(client, wall[:3])
    assert listed(client.get("/welcome/"))


def test_a_model_that_fails_to_choose_is_stood_in_for(client, site, monkeypatch):
    monkeypatch.setattr(Elicitation, "choose", None)
    assert len(client.get("/welcome/").context["wall"]) == 12


def test_a_replaced_model_does_not_stay_in_memory(site):
    champion = server.champion()
    loaded = replace(champion, model=copy.copy(champion.model))
    assert informative(loaded, ListRequest.of(UserProfile(), 12))
    model = weakref.ref(loaded.model)
    del loaded
    gc.collect()
    assert model() is None


def test_an_empty_site_has_a_page(client, db):
    assert client.get("/welcome/").context["wall"] == []
    assert User.objects.count() == 0


def test_the_home_page_leads_there_until_enough_is_rated(client, site, nora):
    assert 'href="/welcome/"' in client.get("/").content.decode()
    client.force_login(nora)
    for movie in site["Romance"][:5]:
        assert 'href="/welcome/"' in client.get("/").content.decode()
        RatingFactory(user=nora, movie=movie)
    assert 'href="/welcome/"' not in client.get("/").content.decode()


def test_the_home_page_of_a_visitor_follows_the_session(client, site):
    liked = site["Science Fiction"][:3]
    like(client, liked)
    for_you = client.get("/").context["rows"][0]
    assert for_you.id == "for-you"
    assert listed(client.get("/welcome/"))[0] == for_you.recommendations.results[0].movie
    impressions.flush()
    assert not Impression.objects.filter(surface="home:for-you").exists()
