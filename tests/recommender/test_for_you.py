import re

import pytest

from catalog.models import Movie
from catalog.services import add_to_watchlist
from recommender.models import Impression
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.together import predicted_stars
from tests.factories import MovieFactory, RatingFactory
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db


def listed(response) -> list[Movie]:
    return [result.movie for result in response.context["recommendations"].results]


def next_part(response) -> str:
    found = re.search(r'href="(/for-you/\?[^"]*)" hx-get', response.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def test_filters_of_the_form_restrict_the_list(client, train, camps, fan):
    train()
    client.force_login(fan)
    blank = {"year_min": "", "person": "", "adventure": "0"}
    response = client.get("/for-you/", blank | {"genre": "romance", "year_max": "1985"})
    assert {movie.pk for movie in listed(response)} == {movie.pk for movie in camps["Romance"][:6]}
    assert 'value="romance" selected' in response.content.decode()
    assert 'value="1985"' in response.content.decode()


def test_a_list_with_others_is_on_the_page_for_that(client, fan):
    client.force_login(fan)
    assert client.get("/for-you/?with=ada&genre=romance")["Location"] == "/together/?with=ada&genre=romance"
    assert client.get("/for-you/?with=").status_code == 200


def test_seen_movies_are_hidden_unless_asked_for(client, train, camps, fan):
    train()
    client.force_login(fan)
    seen = set(camps["Science Fiction"][:3])
    assert not seen & set(listed(client.get("/for-you/")))
    assert seen < set(listed(client.get("/for-you/?include_seen=true")))


def test_more_never_repeats_even_after_a_rating(client, train, camps, fan):
    MovieFactory.create_batch(40)
    for movie in Movie.objects.filter(title__startswith="Movie"):
        RatingFactory(movie=movie)
    train()
    client.force_login(fan)
    shown: list[Movie] = []
    address = "/for-you/?year_min=1950"
    while address:
        response = client.get(address)
        shown += listed(response)
        RatingFactory(user=fan, movie=shown[-1], rating=1.0)
        address = next_part(response)
        assert not address or "year_min=1950" in address
    assert len(shown) == len(set(shown)) == 24 + 40 - 3
    impressions.flush()
    assert Impression.objects.filter(surface="for-you", user=fan).count() == 3


@pytest.mark.wording
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("year_min=soon", "From year: A valid integer is required."),
        ("year_min=1990&year_max=1980", "To year: expected at least the minimum, 1990; got 1980"),
        ("genre=westren", "Genre: unknown genre"),
        ("person=Nobody", "With: unknown person"),
        ("adventure=9", "How adventurous: Ensure this value is less than"),
        ("exclude=1,x", "Recently listed: Expected comma-separated movie ids"),
    ],
)
def test_a_wrong_filter_is_named_and_kept(client, nora, query, said):
    client.force_login(nora)
    response = client.get(f"/for-you/?{query}")
    assert response.status_code == 422
    assert said in response.content.decode()
    assert f'value="{query.rpartition("=")[2]}"' in response.content.decode() or "exclude" in query or "genre" in query


def test_a_visitor_gets_a_list_and_the_way_to_an_own_one(client, train, camps):
    train()
    count_ratings()
    response = client.get("/for-you/")
    assert len(listed(response)) == 24
    assert "/welcome/" in response.content.decode()


@pytest.mark.wording
def test_a_list_without_movies_says_so(client, train, camps, fan):
    train()
    client.force_login(fan)
    assert "No movies found" in client.get("/for-you/?year_min=2020").content.decode()


def test_the_form_offers_only_what_movies_have(client, train, camps, fan):
    client.force_login(fan)
    page = client.get("/for-you/").content.decode()
    for name in ("language", "runtime_max", "person"):
        assert not re.search(rf'<(select|input)[^>]* name="{name}"', page)
    Movie.objects.update(language="fr", runtime_minutes=100)
    page = client.get("/for-you/").content.decode()
    assert 'value="fr"' in page
    assert 'name="runtime_max"' in page


def test_the_page_takes_few_queries(client, train, camps, fan, django_assert_max_num_queries):
    train()
    client.force_login(fan)
    client.get("/for-you/?genre=romance")
    with django_assert_max_num_queries(13):
        client.get("/for-you/?genre=romance&exclude=1,2")
    MovieFactory.create_batch(30)
    server.refresh()
    with django_assert_max_num_queries(13):
        client.get("/for-you/?genre=romance&year_min=1950")


def test_the_watchlist_is_ranked_by_predicted_stars(client, train, camps, fan, bob):
    train()
    wanted = [camps["Romance"][3], MovieFactory(title="Unknown"), camps["Science Fiction"][5], camps["Romance"][4]]
    for movie in wanted:
        add_to_watchlist(user=fan, movie=movie)
    add_to_watchlist(user=bob, movie=camps["Science Fiction"][6])
    client.force_login(fan)
    page = client.get("/watchlist/by-liking/").context["page"]
    stars = predicted_stars([UserProfile.of(fan)], [movie.pk for movie in wanted])
    assert wanted[1].pk not in stars
    ranked = sorted(stars, key=lambda movie: -stars[movie][0])
    assert [item["movie"].pk for item in page.object_list] == [*ranked, wanted[1].pk]
    assert f"{stars[ranked[0]][0]:.1f} ★" in page.object_list[0]["reason"]
    assert page.object_list[-1]["reason"] == ""


def test_without_a_model_the_watchlist_is_whole(client, fan):
    movies = MovieFactory.create_batch(3)
    for movie in movies:
        add_to_watchlist(user=fan, movie=movie)
    client.force_login(fan)
    page = client.get("/watchlist/by-liking/").context["page"]
    assert [item["movie"] for item in page.object_list] == movies[::-1]


def test_the_ranked_watchlist_takes_few_queries(client, train, camps, fan, django_assert_max_num_queries):
    train()
    client.force_login(fan)
    for movie in camps["Romance"]:
        add_to_watchlist(user=fan, movie=movie)
    with django_assert_max_num_queries(8):
        client.get("/watchlist/by-liking/")
