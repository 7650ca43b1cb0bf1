"""Online metrics: scores new positive ratings against the lists of their time, with a trained model."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Movie, Rating, User
from mlops.models import OnlineMetrics, Promotion, Watermark
from mlops.monitoring import online_metrics
from mlops.services import promote, score_online_metrics
from mlops.tasks import score_online_metrics as score_task
from recommender.models import Dismissal, Impression
from tests.audit_trail import trail
from tests.factories import RatingFactory, UserFactory
from tests.mlops.site import make_version

# At noon, so that what happened an hour or two ago was on the same day.
NOW = (timezone.now() - timedelta(days=1)).replace(hour=12)


@pytest.fixture
def site(db, quick) -> list[Movie]:
    """Twenty movies, the first the most popular one, and a champion by popularity since yesterday."""
    movies = Movie.objects.bulk_create([Movie(title=f"Movie {n}") for n in range(20)])
    users = User.objects.bulk_create([User(username=f"rater{n}") for n in range(21)])
    long_ago = NOW - timedelta(days=100)
    Rating.objects.bulk_create(
        Rating(user=user, movie=movie, rating=5.0, rated_at=long_ago)
        for rank, movie in enumerate(movies)
        for user in users[: 21 - rank]
    )
    promote(version=make_version().pk)
    trail(Promotion).update(promoted_at=NOW - timedelta(days=1))
    return movies


@pytest.fixture
def fan(site):
    """Rated the most popular movie long ago."""
    user = UserFactory()
    RatingFactory(user=user, movie=site[0], rating=5.0)
    return user


def rate(user, movie: Movie, rating: float = 5.0, *, minutes_ago: float = 60) -> Rating:
    return Rating.objects.create(user=user, movie=movie, rating=rating, rated_at=NOW - timedelta(minutes=minutes_ago))


def show(user, movies: list[Movie], *, minutes_ago: float, **fields) -> None:
    version = Promotion.objects.latest("id").version_id
    items = [[movie.pk, rank, "personal"] for rank, movie in enumerate(movies, start=1)]
    defaults = {"surface": "home:for-you", "model_version": version, "items": items}
    Impression.objects.create(user=user, shown_at=NOW - timedelta(minutes=minutes_ago), **defaults | fields)


def test_rating_is_scored_against_the_champions_list(site, fan):
    rate(fan, site[2])

    assert score_online_metrics(now=NOW) == {"scored": 1, "read": 1}

    row = OnlineMetrics.objects.get()
    assert (row.version_id, row.day) == (Promotion.objects.get().version_id, (NOW - timedelta(hours=1)).date())
    assert (row.n, row.n_shown, row.hits) == (1, 0, 1)
    assert row.ndcg_sum == pytest.approx(1 / math.log2(3))  # second of what the fan has not seen


def test_list_follows_from_earlier_ratings_only(site, fan):
    rate(fan, site[1], minutes_ago=90)
    rate(fan, site[3], minutes_ago=30)
    rate(fan, site[2], minutes_ago=60)

    score_online_metrics(now=NOW)

    row = OnlineMetrics.objects.get()
    assert row.ndcg_sum == pytest.approx(3.0)  # each was the first of its moment


def test_a_miss_lowers_the_rate(site, fan):
    rate(fan, site[2], minutes_ago=90)
    rate(fan, site[19])

    score_online_metrics(now=NOW)

    row = OnlineMetrics.objects.get()
    assert (row.n, row.hits, row.hit_rate) == (2, 1, 0.5)


def test_shown_list_takes_precedence(site, fan):
    show(fan, site[10:20], minutes_ago=120)
    show(fan, site[5:15], minutes_ago=70)
    show(fan, site[2:12], minutes_ago=10)
    rate(fan, site[9], minutes_ago=60)

    score_online_metrics(now=NOW)

    row = OnlineMetrics.objects.get()
    assert (row.n_shown, row.hits) == (1, 1)
    assert row.ndcg_sum == pytest.approx(1 / math.log2(1 + 5))


@pytest.mark.parametrize(
    "fields",
    [
        {"surface": "home:popular"},
        {"fallback": "popular"},
        {"model_version": None},
        {"items": [[1, 1, "personal"]]},
        {"minutes_ago": 60 * 26},
    ],
    ids=["not personal", "not the champion's", "no model", "too short", "too long ago"],
)
def test_other_lists_do_not_count_as_shown(site, fan, fields):
    show(fan, site[10:20], **{"minutes_ago": 70} | fields)
    rate(fan, site[1])

    score_online_metrics(now=NOW)

    assert (OnlineMetrics.objects.get().n_shown, OnlineMetrics.objects.get().hits) == (0, 1)


def test_dismissed_movies_were_in_no_list(site, fan):
    Dismissal.objects.create(user=fan, movie=site[1])
    Dismissal.objects.update(created_at=NOW - timedelta(hours=2))
    rate(fan, site[2])

    score_online_metrics(now=NOW)

    assert OnlineMetrics.objects.get().ndcg_sum == pytest.approx(1.0)


def test_the_popular_list_is_scored_beside_it(site, fan):
    """Without what the user had seen: of these twenty movies the second to the eleventh."""
    show(fan, site[5:15], minutes_ago=120)
    for place, movie in enumerate(site):
        Movie.objects.filter(pk=movie.pk).update(popularity=20 - place, rating_count=1)
    for movie in (site[10], site[12]):
        rate(fan, movie)

    score_online_metrics(now=NOW)

    row = OnlineMetrics.objects.get()
    assert (row.n, row.hits, row.popular_hits) == (2, 2, 1)


def test_days_without_the_popular_list_stay_unknown(site, fan):
    day = (NOW - timedelta(hours=1)).date()
    version = Promotion.objects.get().version
    OnlineMetrics.objects.create(version=version, day=day, n=5, hits=1, popular_hits=None)
    rate(fan, site[2])

    score_online_metrics(now=NOW)

    row = OnlineMetrics.objects.get()
    assert (row.n, row.hits, row.popular_hits) == (6, 2, None)


def test_only_new_positive_ratings_of_known_users_are_scored(site, fan):
    rate(fan, site[1], 2.0)
    rate(UserFactory(), site[1])
    rate(fan, site[3], minutes_ago=0.1)  # may not be committed everywhere yet
    rate(fan, site[4], minutes_ago=60 * 25)  # before the first promotion

    assert score_online_metrics(now=NOW) == {"scored": 0, "read": 2}


def test_next_run_continues_and_counts_nothing_twice(site, fan, settings):
    policy = settings.POLICY.online_metrics.model_copy(update={"max_ratings": 2})
    settings.POLICY = settings.POLICY.model_copy(update={"online_metrics": policy})
    for n in range(5):
        rate(fan, site[n + 1], minutes_ago=60)  # all at the same moment

    read = [score_online_metrics(now=NOW)["read"] for _ in range(4)]

    assert read == [2, 2, 1, 0]
    assert OnlineMetrics.objects.get().n == 5


def test_ratings_counted_elsewhere_are_not_counted_again(site, fan, monkeypatch):
    rate(fan, site[1])
    scored = online_metrics._score

    def overtaken(positives, champions):
        monkeypatch.undo()
        score_online_metrics(now=NOW)
        return scored(positives, champions)

    monkeypatch.setattr(online_metrics, "_score", overtaken)

    assert score_online_metrics(now=NOW)["scored"] == 0
    assert OnlineMetrics.objects.get().n == 1


def test_each_version_is_scored_for_its_own_time(site, fan):
    first = Promotion.objects.get().version_id
    second = make_version().pk
    promote(version=second)
    trail(Promotion).filter(version=second).update(promoted_at=NOW - timedelta(minutes=45))
    rate(fan, site[1], minutes_ago=60)
    rate(fan, site[2], minutes_ago=30)

    score_online_metrics(now=NOW)

    assert dict(OnlineMetrics.objects.values_list("version", "n")) == {first: 1, second: 1}


def test_without_a_champion_there_is_nothing_to_score(alice, quick):
    assert score_task() == {"scored": 0, "read": 0}
    assert not Watermark.objects.exists()
