"""Watched movies count in lists, rated or not."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.imports.lifecycle import read_import
from catalog.models import Movie, Viewing
from recommender.services import explain, popular, recommend, recommend_new, similar
from recommender.serving.profile import UserProfile
from tests.catalog.imports.site_files import RATINGS, WATCHED, table, zipped
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def watch(user, *movies: Movie) -> None:
    Viewing.objects.bulk_create(Viewing(user=user, movie=movie) for movie in movies)


def shown(recommendations) -> set[int]:
    return {result.movie.pk for result in recommendations.results}


def test_a_watched_movie_is_in_no_list(train, camps, fan):
    train()
    new = MovieFactory(title="Just out", year=2026)
    first = recommend(user=fan, k=3, surface="test").results[0].movie
    watch(fan, first, new)

    lists = (
        recommend(user=fan, k=100, surface="test"),
        recommend_new(user=fan, k=100, surface="test"),
        popular(user=fan, k=100, surface="test"),
        similar(user=fan, movie=camps["Science Fiction"][0], k=100),
    )
    assert all(recommendations.results for recommendations in lists[:1])
    assert [shown(recommendations) & {first.pk, new.pk} for recommendations in lists] == [set()] * 4
    assert explain(user=fan, movie=first).is_seen


def test_watched_movies_alone_make_a_personal_list(train, camps, nora):
    train()
    watch(nora, *camps["Science Fiction"][:3])
    recommendations = recommend(user=nora, k=5, surface="test")

    assert recommendations.fallback is None
    assert shown(recommendations) <= {movie.pk for movie in camps["Science Fiction"][3:]}


def test_a_watched_movie_counts_as_the_mean_or_as_liked(nora, settings):
    unrated, good, bad = MovieFactory.create_batch(3)
    watch(nora, unrated, good)
    known = frozenset({unrated.pk, good.pk, bad.pk})
    threshold = settings.POLICY.training.implicit_threshold

    RatingFactory(user=nora, movie=good, rating=5)
    assert UserProfile.of(nora).history(known) == {unrated.pk: 5, good.pk: 5}
    RatingFactory(user=nora, movie=bad, rating=0.5)
    assert UserProfile.of(nora).history(known) == {unrated.pk: threshold, good.pk: 5, bad.pk: 0.5}
    assert UserProfile.of(nora).history(frozenset({bad.pk})) == {bad.pk: 0.5}


def test_the_next_list_uses_an_imported_history(train, camps, nora, client):
    train()
    client.force_login(nora)
    sf = camps["Science Fiction"]
    content = zipped(
        {
            "ratings.csv": table(RATINGS, *(["2020-05-02", movie.title, movie.year, "", 5] for movie in sf[:2])),
            "watched.csv": table(WATCHED, *(["2020-05-02", movie.title, movie.year, ""] for movie in sf[:3])),
        }
    )
    before = client.get("/api/v1/recommendations/?k=5").json()
    file = SimpleUploadedFile("letterboxd.zip", content)
    made = client.post("/api/v1/import/", {"format": "letterboxd", "file": file})
    read_import(import_id=made.json()["id"])
    client.post(f"/api/v1/import/{made.json()['id']}/commit/")
    after = client.get("/api/v1/recommendations/?k=5").json()

    assert (before["fallback"], after["fallback"]) == ("popular", None)
    assert {row["movie"]["id"] for row in after["results"]} <= {movie.pk for movie in sf[3:]}
