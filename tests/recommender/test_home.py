from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Movie
from recommender import services, views
from recommender.models import Dismissal, Impression
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db

SAMPLE = views.Sample(Movie(pk=1, title="Heat"), [])


def rows(response) -> dict[str, list[str]]:
    return {row.title: [result.source for result in row.recommendations.results] for row in response.context["rows"]}


@pytest.mark.wording
def test_a_visitor_sees_popular_and_newest_movies(client, camps):
    count_ratings()
    response = client.get("/")
    assert list(rows(response)) == ["Popular now", "Newest"]
    page = response.content.decode()
    assert reverse("catalog:sign-up") in page
    assert Movie.objects.order_by("-popularity", "id").first().title in page
    assert "Not interested" not in page


def test_a_visitor_sees_what_the_model_makes_of_one_liked_movie(client, train, camps):
    assert client.get("/").context["sample"] is None
    train(version=3)
    count_ratings()

    sample = client.get("/").context["sample"]
    similar = services.similar(movie=sample.movie, k=4, surface="test").results

    assert sample.movie in Movie.objects.order_by("-rating_count", "id")[:12]
    assert [result.movie for result in sample.results] == [result.movie for result in similar]
    assert sample.movie.get_absolute_url() in client.get("/").content.decode()


def test_the_sample_is_made_once_a_day_for_each_model(client, train, camps, monkeypatch):
    made = []
    monkeypatch.setattr(views, "_sample", lambda: made.append(1) or SAMPLE)
    for version in (1, 2):
        train(version=version)
        assert [client.get("/").context["sample"].results for _ in range(2)] == [[], []]
        assert len(made) == version
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(views.timezone, "now", lambda: tomorrow)
    client.get("/")
    assert len(made) == 3


@pytest.mark.wording
def test_personal_rows_name_the_model_that_made_them(client, train, camps, fan):
    train(version=3)
    count_ratings()
    MovieFactory(title="Fresh from the editor", year=2026)
    server.refresh()
    client.force_login(fan)
    response = client.get("/")
    liked = camps["Science Fiction"][2]  # the latest of the three that were rated 5
    assert list(rows(response)) == [
        "For you",
        f"Because you liked {liked.title}",
        "Not rated on this site yet",
        "Popular now",
    ]
    assert set(rows(response)["For you"]) == {"personal"}
    assert set(rows(response)[f"Because you liked {liked.title}"]) == {"similar"}
    page = response.content.decode()
    assert "Model 3 · personal" in page
    assert "Fresh from the editor" in page


def test_movies_without_ratings_follow_taste_and_stay_unrated(client, train, camps, fan):
    made = {name: [MovieFactory(title=f"{name} {n}", year=1939) for n in range(3)] for name in camps}
    for name, movies in made.items():
        for movie in movies:
            movie.genres.set(camps[name][0].genres.all())
    train(algorithm="hybrid", regularization=2.0, popularity_weight=0.1, cold_user_weight=0.0, reranker=False)
    server.refresh()
    client.force_login(fan)
    row = next(row for row in client.get("/").context["rows"] if row.id == "new")
    shown = [result.movie for result in row.recommendations.results]
    assert len(shown) == 2  # a third of them
    assert set(shown) < set(made["Science Fiction"])
    RatingFactory(movie=shown[0], rating=4.0)
    count_ratings()
    row = next(row for row in client.get("/").context["rows"] if row.id == "new")
    assert [result.movie for result in row.recommendations.results] == shown[1:]


def test_only_recent_releases_are_marked_as_new(client):
    MovieFactory(title="Restored", year=1939)
    MovieFactory(title="Last week", release_date=timezone.now().date() - timedelta(days=7))
    MovieFactory(title="Next week", release_date=timezone.now().date() + timedelta(days=7))
    assert client.get("/movies/").content.decode().count('class="badge"') == 1


@pytest.mark.wording
def test_a_user_without_ratings_is_told_to_rate_movies(client, train, camps, nora):
    train()
    client.force_login(nora)
    response = client.get("/")
    assert next(iter(rows(response))) == "For you"
    assert "Popular now (rate a few movies to personalize this list)" in response.content.decode()


@pytest.mark.wording
def test_the_note_says_that_a_model_stands_in(client, train, camps, fan, monkeypatch):
    train(version=1)
    train(version=2)
    champion, _ = server.models()
    monkeypatch.setattr(champion.model, "_cut", None)
    client.force_login(fan)
    assert "Model 1 · personal (fallback for the current model)" in client.get("/").content.decode()


@pytest.mark.wording
def test_an_empty_site_says_what_to_do(client, nora, sam):
    for user, said in [
        (None, "manage.py load_sample"),
        (sam, "manage.py load_sample"),
        (nora, "No movies have been added to this site yet"),
    ]:
        if user:
            client.force_login(user)
        response = client.get("/")
        assert response.status_code == 200
        assert said in response.content.decode()


def test_every_row_is_recorded_as_an_impression(client, train, camps, fan):
    train(version=3)
    count_ratings()
    client.force_login(fan)
    response = client.get("/")
    impressions.flush()
    kept = {str(row.request_id): row for row in Impression.objects.all()}
    for row in response.context["rows"]:
        impression = kept[str(row.recommendations.request_id)]
        assert impression.user == fan
        assert impression.surface == f"home:{row.id}"
        assert impression.items == [
            [result.movie.pk, result.rank, result.source] for result in row.recommendations.results
        ]


def test_a_card_records_the_click_and_leads_to_the_movie(client, train, camps, fan):
    train()
    client.force_login(fan)
    response = client.get("/")
    recommendations = response.context["rows"][0].recommendations
    movie = recommendations.results[0].movie
    address = reverse("recommender:follow", args=[recommendations.request_id, movie.pk])
    assert f'href="{address}"' in response.content.decode()
    followed = client.get(address)
    assert (followed.status_code, followed.url) == (302, movie.get_absolute_url())
    click = fan.feedback.get()
    assert (click.kind, click.movie, click.request_id) == ("click", movie, recommendations.request_id)


def test_a_click_of_a_visitor_or_on_a_movie_that_is_gone(client, db):
    movie = MovieFactory()
    request_id = "0b5e9bd5-3f2e-4d3c-9d5f-1d8b6f1b1a11"
    assert client.get(f"/r/{request_id}/{movie.pk}/").url == movie.get_absolute_url()
    assert client.get(f"/r/{request_id}/{movie.pk + 1}/").status_code == 404


def test_another_persons_list_counts_for_nothing(client, train, camps, fan, nora):
    train()
    client.force_login(fan)
    recommendations = client.get("/").context["rows"][0].recommendations
    movie = recommendations.results[0].movie
    client.force_login(nora)

    followed = client.get(reverse("recommender:follow", args=[recommendations.request_id, movie.pk]))
    form = {"kind": "not_interested", "movie": movie.pk, "request_id": recommendations.request_id}

    assert (followed.status_code, followed.url) == (302, movie.get_absolute_url())
    assert client.post("/feedback/", form).status_code == 404
    assert not nora.feedback.exists()
    assert not Dismissal.objects.exists()


@pytest.mark.wording
def test_not_interested_replaces_the_card_until_undone(client, train, camps, fan):
    train()
    client.force_login(fan)
    recommendations = client.get("/").context["rows"][0].recommendations
    movie = recommendations.results[0].movie
    form = {"kind": "not_interested", "movie": movie.pk, "request_id": recommendations.request_id}
    card = client.post("/feedback/", form, headers={"HX-Request": "true"})
    assert "will no longer be recommended" in card.content.decode()
    assert Dismissal.objects.get().movie == movie
    assert movie not in [result.movie for result in client.get("/").context["rows"][0].recommendations.results]

    card = client.post("/feedback/", form | {"kind": "undo"}, headers={"HX-Request": "true"})
    assert reverse("recommender:follow", args=[recommendations.request_id, movie.pk]) in card.content.decode()
    assert not Dismissal.objects.exists()


@pytest.mark.wording
def test_not_interested_works_without_scripts(client, fan):
    movie = MovieFactory(title="The Room")
    client.force_login(fan)
    response = client.post("/feedback/", {"kind": "not_interested", "movie": movie.pk}, follow=True)
    assert response.redirect_chain == [(f"/?dismissed={movie.pk}", 302)]
    assert "The Room will no longer be recommended to you" in response.content.decode()
    assert client.post("/feedback/", {"kind": "undo", "movie": movie.pk}).url == "/"
    assert "The Room will not" not in client.get(f"/?dismissed={movie.pk}").content.decode()
    assert client.get("/?dismissed=x").status_code == client.get(f"/?dismissed={'9' * 30}").status_code == 200


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "hate", "movie": 1}, "kind: Select a valid choice"),
        ({"kind": "undo", "movie": 999}, "movie: Select a valid choice"),
        ({"kind": "undo"}, "movie: This field is required"),
        ({"kind": "undo", "movie": "1; DROP TABLE", "request_id": "x"}, "request_id: Enter a valid UUID"),
    ],
)
@pytest.mark.wording
def test_wrong_feedback_is_refused(client, nora, given, said):
    client.force_login(nora)
    response = client.post("/feedback/", given)
    assert response.status_code == 400
    assert said in response.content.decode()


def test_feedback_requires_signing_in_and_redirects_locally(client, fan):
    movie = MovieFactory()
    assert client.post("/feedback/", {"kind": "undo", "movie": movie.pk}).url.startswith(reverse("catalog:sign-in"))
    client.force_login(fan)
    sent = client.post("/feedback/", {"kind": "undo", "movie": movie.pk, "next": "https://evil.example/"})
    assert sent.url == "/"


@pytest.mark.wording
def test_similar_movies_come_as_a_fragment_and_as_a_page(client, train, camps):
    train(version=5)
    movie = camps["Romance"][0]
    address = reverse("recommender:similar-fragment", args=[movie.pk])
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Model 5 · similar movies" in fragment
    page = client.get(address).content.decode()
    assert "<html" in page
    assert f"Like {movie.title}" in page
    assert client.get(reverse("recommender:similar-fragment", args=[10**9])).status_code == 404


@pytest.mark.wording
def test_the_page_does_not_fail_with_the_model(client, train, camps, fan, monkeypatch):
    train()
    count_ratings()
    [champion] = server.models()
    for name in ("_cut", "_similar"):
        monkeypatch.setattr(champion.model, name, None)
    client.force_login(fan)
    response = client.get("/")
    assert rows(response)["For you"][0] == "popular"
    assert "no model is available to personalize this list" in response.content.decode()


def test_the_number_of_movies_does_not_change_the_queries(client, train, camps, fan, django_assert_max_num_queries):
    train()
    count_ratings()
    client.force_login(fan)
    client.get("/")
    with django_assert_max_num_queries(12):
        client.get("/")
    MovieFactory.create_batch(30)
    server.refresh()
    other = UserFactory()
    client.force_login(other)
    with django_assert_max_num_queries(12):
        client.get("/")
