"""TMDB's new releases appear in lists of new movies without a training."""

import pytest
from django.core.management import call_command

from catalog.models import Genre, Movie
from recommender.services import recommend, recommend_new
from recommender.serving.model_server import server
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(camps, train, settings) -> None:
    """With TMDB's agreement. The stand-in's genres are those of the training, under TMDB's names."""
    settings.TMDB_METADATA_IN_TRAINING = True
    Genre.objects.filter(name="Science Fiction").update(name="Sci-Fi", slug="sci-fi")
    train(version=1, algorithm="hybrid")


def releases(tmdb) -> None:
    kinds = [{"id": 878, "name": "Science Fiction"}, {"id": 10749, "name": "Romance"}]
    tmdb.movies = {
        n: document(n, title=f"{kinds[n % 2]['name']} {n}", genres=[kinds[n % 2]], release_date=f"2020-01-{n:02}")
        for n in range(1, 9)
    }


def sync() -> None:
    call_command("sync_tmdb", "--new-releases", "--since", "2020-01-01")
    server.refresh()


def titles(recommendations) -> list[str]:
    return [result.movie.title for result in recommendations.results]


def test_new_releases_appear_by_taste_without_a_training(trained, fan, tmdb):
    releases(tmdb)
    sync()

    recommendations = recommend_new(user=fan, k=8, surface="test")

    assert (recommendations.model_version, recommendations.fallback) == (1, None)
    assert {title.split()[0] for title in titles(recommendations)[:4]} == {"Science"}
    assert {title.split()[0] for title in titles(recommendations)[4:]} == {"Romance"}
    blended = recommend(user=fan, k=10, include_new=True, surface="test")
    assert {result.source for result in blended.results} == {"personal", "new"}


def test_a_release_that_tmdb_took_back_leaves_the_lists(trained, fan, tmdb):
    releases(tmdb)
    sync()
    del tmdb.movies[2]
    call_command("sync_tmdb", "--ids", "2")
    server.refresh()

    assert "Science Fiction 2" not in titles(recommend_new(user=fan, k=8, surface="test"))
    assert Movie.objects.filter(tmdb_id__isnull=False).count() == 7


def test_without_the_agreement_they_do_not_shape_taste(trained, fan, tmdb, settings):
    settings.TMDB_METADATA_IN_TRAINING = False
    releases(tmdb)
    sync()

    recommendations = recommend_new(user=fan, k=8, surface="test")

    assert len(recommendations.results) == 8
    assert len({round(result.score, 6) for result in recommendations.results}) == 1
