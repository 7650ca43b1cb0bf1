"""Movies without ratings in the champion's data are ranked by taste, from their metadata."""

import numpy as np
import pytest

from catalog.models import Genre, Movie
from recommender import reasons
from recommender.estimators.movie_table import movie_table as table_of
from recommender.export import movie_frame, movie_table
from recommender.models import Dismissal
from recommender.services import explain, recommend, recommend_new
from recommender.serving.model_server import server
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def fresh(camps, train) -> dict[str, list[Movie]]:
    """A trained site, and three movies of each kind that came to it afterwards."""
    train(version=1, algorithm="hybrid")
    movies = {}
    for genre in Genre.objects.all():
        movies[genre.name] = [MovieFactory(title=f"New {genre.name} {n}", year=2000 + n) for n in range(3)]
        for movie in movies[genre.name]:
            movie.genres.add(genre)
    server.refresh()
    return movies


def shown(recommendations) -> list[int]:
    return [result.movie.pk for result in recommendations.results]


def ids(movies: list[Movie]) -> set[int]:
    return {movie.pk for movie in movies}


def test_new_movies_of_the_users_taste_come_first(fresh, fan):
    recommendations = recommend_new(user=fan, k=6, surface="test")
    assert {result.source for result in recommendations.results} == {"new"}
    assert set(shown(recommendations)[:3]) == ids(fresh["Science Fiction"])
    assert set(shown(recommendations)[3:]) == ids(fresh["Romance"])
    assert (recommendations.model_version, recommendations.fallback) == (1, None)


def test_without_ratings_the_newest_of_them_come_first(fresh, nora):
    recommendations = recommend_new(user=nora, k=2, surface="test")
    assert [result.score for result in recommendations.results] == [2002.0, 2002.0]
    assert [result.source for result in recommendations.results] == ["newest", "newest"]
    assert (recommendations.model_version, recommendations.fallback) == (None, "newest")


def test_a_model_that_does_not_score_them_leaves_the_newest(fresh, train, fan):
    train(version=2, algorithm="ease")
    recommendations = recommend_new(user=fan, k=2, surface="test")
    assert {result.source for result in recommendations.results} == {"new"}  # the previous champion can
    assert (recommendations.model_version, recommendations.fallback) == (1, "previous")
    train(version=3, algorithm="ease")
    recommendations = recommend_new(user=fan, k=2, surface="test")
    assert {result.source for result in recommendations.results} == {"newest"}
    assert (recommendations.model_version, recommendations.fallback) == (None, "newest")


def test_without_a_model_every_movie_is_new(nora):
    movie = MovieFactory()
    assert shown(recommend_new(user=nora, surface="test")) == [movie.pk]


def test_dismissed_new_movies_are_excluded(fresh, fan):
    for movie in fresh["Science Fiction"]:
        Dismissal.objects.create(user=fan, movie=movie)
    assert set(shown(recommend_new(user=fan, surface="test"))) == ids(fresh["Romance"])


def test_a_share_of_new_movies_is_blended_in(fresh, fan):
    plain = recommend(user=fan, k=10, surface="test")
    assert not set(shown(plain)) & ids([*fresh["Romance"], *fresh["Science Fiction"]])
    recommendations = recommend(user=fan, k=10, include_new=True, surface="test")
    places = [result.rank for result in recommendations.results if result.source == "new"]
    assert places == [3, 8]
    assert {shown(recommendations)[2], shown(recommendations)[7]} < ids(fresh["Science Fiction"])
    eight = recommend(user=fan, k=8, surface="test")
    rated = [result.movie.pk for result in recommendations.results if result.source != "new"]
    assert rated == shown(eight)
    assert [result.source for result in recommend(user=fan, k=1, include_new=True, surface="test").results] == [
        "personal"
    ]


def test_blending_fills_short_lists_with_new_movies(fresh, fan):
    recommendations = recommend(user=fan, k=11, include_new=True, genre="science-fiction", surface="test")
    assert len(recommendations.results) == 11
    assert sum(result.source == "new" for result in recommendations.results) == 2
    recommendations = recommend(user=fan, k=100, include_new=True, genre="science-fiction", surface="test")
    assert sum(result.source == "new" for result in recommendations.results) == 3
    assert sum(result.source == "personal" for result in recommendations.results) == 9


def test_a_new_movie_has_similar_ones(fresh, api):
    movie = fresh["Romance"][0]
    results = api.get(f"/api/v1/movies/{movie.pk}/similar/?k=2").json()["results"]
    assert [result["source"] for result in results] == ["similar", "similar"]
    assert {result["movie"]["id"] for result in results} == ids(fresh["Romance"][1:])


def test_a_new_movie_can_be_explained(fresh, fan):
    [first, *_] = recommend_new(user=fan, k=1, surface="test").results
    explanation = explain(user=fan, movie=first.movie)
    assert explanation.source == "new"
    assert explanation.score == pytest.approx(first.score, abs=1e-6)


def test_only_movies_that_are_shown_are_given_reasons(fresh, fan, monkeypatch):
    asked: list[int] = []

    def main_reasons(model, ratings, history, movies, n_features):
        asked.extend(movies)
        return reasons.main_reasons(model, ratings, history, movies, n_features)

    monkeypatch.setattr("recommender.serving.candidates.main_reasons", main_reasons)
    recommendations = recommend(user=fan, k=10, include_new=True, surface="test")

    assert sorted(asked) == sorted(shown(recommendations))
    assert all(result.reason for result in recommendations.results)


def test_the_table_of_new_movies_is_what_their_frame_says(camps):
    movie = MovieFactory(title="  A title with spaces ", year=1950, release_date=None)
    movie.genres.add(Genre.objects.first())
    ids = list(Movie.objects.values_list("pk", flat=True))
    ours, theirs = movie_table(movie_ids=ids), table_of(movie_frame(movie_ids=ids))

    for column in ours.columns:
        np.testing.assert_array_equal(np.array(ours[column], dtype=object), np.array(theirs[column], dtype=object))
    assert ours["title"][ids.index(movie.pk)] == "A title with spaces"
