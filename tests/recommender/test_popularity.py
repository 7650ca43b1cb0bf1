"""The popular list of a site, computed in SQL, equals the estimator's."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog import popularity as of_site
from catalog.models import Movie, Rating
from recommender.estimators import Dataset
from recommender.estimators import dataset as of_data
from recommender.estimators import popularity as of_model
from recommender.export import rating_frame
from tests.factories import MovieFactory, UserFactory, insert_ratings

LATEST = datetime(2020, 5, 1, 12, tzinfo=UTC)
USERS, MOVIES = st.integers(0, 5), st.integers(0, 4)
STARS, HOURS = st.integers(1, 10), st.one_of(st.integers(0, 100), st.integers(0, 10**5))
RATINGS = st.dictionaries(st.tuples(USERS, MOVIES), st.tuples(STARS, HOURS), max_size=30)


@pytest.fixture
def low_bounds(monkeypatch) -> None:
    """Bounds that a few ratings reach."""
    for module in (of_site, of_model):
        monkeypatch.setattr(module, "PERSON_RATINGS", 2.0)
        monkeypatch.setattr(module, "PRIOR_LIKES", 3.0)
        monkeypatch.setattr(module, "CHANCE_LIKES", 0.5)


@pytest.fixture
def people_and_movies(db) -> tuple[list[int], list[int]]:
    return [row.pk for row in UserFactory.create_batch(6)], [row.pk for row in MovieFactory.create_batch(5)]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ratings=RATINGS)
def test_site_and_estimator_agree(people_and_movies, low_bounds, settings, ratings):
    people, movies = people_and_movies
    Rating.objects.all().delete()
    insert_ratings(
        (people[user], movies[movie], stars / 2, LATEST - timedelta(hours=hours))
        for (user, movie), (stars, hours) in ratings.items()
    )

    of_site.refresh_popularity()

    threshold, days = settings.POLICY.popularity.liked_from, settings.POLICY.popularity.half_life_days
    data = Dataset.from_frames(rating_frame(), implicit_threshold=threshold)
    expected = dict.fromkeys(movies, 0.0) | dict(
        zip(data.movie_ids.tolist(), of_model.popularity_of(data, days).tolist(), strict=True)
    )
    found = dict(Movie.objects.values_list("pk", "popularity"))
    now = of_site.popularity_now()
    assert found == pytest.approx(expected, rel=2 * of_site.TOLERANCE)
    assert (now.timestamp() if now else 0) == pytest.approx(data.now / 1e9)


def test_both_have_the_same_constants():
    names = ("PRIOR_LIKES", "CHANCE_LIKES", "PERSON_RATINGS", "OLDEST")
    assert [getattr(of_site, name) for name in names] == [getattr(of_model, name) for name in names]
    assert of_site.CLOCK_PEOPLE == of_data.CLOCK_PEOPLE
    assert of_site.CLOCK_LEAD / timedelta(microseconds=1) * 1000 == of_data.CLOCK_LEAD_NS


def test_estimators_and_site_rank_a_site_equally(db, camps):
    of_site.refresh_popularity()

    data = Dataset.from_frames(rating_frame(), implicit_threshold=3.5)
    ranked = data.movie_ids[np.argsort(-of_model.popularity_of(data, 30.0), kind="stable")]
    rated = Movie.objects.filter(rating_count__gt=0)
    assert ranked.tolist()[:10] == list(rated.order_by("-popularity", "id").values_list("pk", flat=True)[:10])
