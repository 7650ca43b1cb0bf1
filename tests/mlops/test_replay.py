"""Replays recent requests with two trained models."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Rating, User
from mlops.gate.codes import ReplaySource
from mlops.gate.replay import Request, lists_of_latest_raters, recent_requests, replay, replay_requests
from mlops.registry.artifacts import load_version
from recommender.estimators import ESTIMATORS, Dataset, artifact_checksum
from recommender.export import movie_frame, rating_frame
from recommender.models import Dismissal, Impression, ServingStatsMinute
from recommender.serving.stats import serving_stats
from tests.mlops.site import make_version


def version(settings, algorithm: str, **parameters):
    folder = settings.MODEL_DIR / f"{algorithm}-{len(parameters)}"
    ESTIMATORS[algorithm](**parameters).fit(Dataset.from_frames(rating_frame(), movie_frame())).save(folder)
    checksum = artifact_checksum(folder)
    return make_version(algorithm=algorithm, artifact=folder.name, artifact_checksum=checksum)


@pytest.fixture
def pair(rated_site, settings):
    return version(settings, "ease", regularization=20.0), version(settings, "item_knn")


def show(user: User | None, *sources: str, minutes_ago: int = 0) -> None:
    items = [[n, n, source] for n, source in enumerate(sources, start=1)]
    shown_at = timezone.now() - timedelta(minutes=minutes_ago)
    Impression.objects.create(user=user, surface="home", items=items, shown_at=shown_at)


def test_requests_are_those_that_a_model_has_to_answer(rated_site):
    one, two = User.objects.order_by("pk")[:2]
    show(one, *["personal"] * 10, minutes_ago=3)
    show(two, "personal", "new", minutes_ago=2)
    show(two, "new", "new", "new", minutes_ago=1)
    show(None, "popular")
    show(one, "popular", "popular")
    show(one, "similar")

    assert recent_requests(10) == [
        Request(two.pk, 3, "new"),
        Request(two.pk, 2, "blended"),
        Request(one.pk, 10, "personal"),
    ]
    assert recent_requests(1) == [Request(two.pk, 3, "new")]


def test_two_models_are_compared_on_recent_requests(pair):
    candidate, champion = pair
    for user in User.objects.order_by("pk")[:30]:
        show(user, *["personal"] * 10)

    found = replay_requests(candidate, champion)

    figures = found["figures"]
    assert (figures["source"], figures["n_requests"]) == (ReplaySource.RECENT, 30)
    assert (figures["n_errors"], figures["n_excluded"]) == (0, 0)
    assert figures["latency_p95_ms"] > 0
    assert figures["champion_latency_p95_ms"] > 0
    assert 0 < figures["overlap"] < 1
    assert figures["score_psi"] > 0
    assert len(found["sample"]) == 6
    change = found["sample"][0]
    assert len(change["comes"]) + change["n_stays"] == 10
    assert not set(change["comes"]) & set(change["goes"])
    serving_stats.flush()
    assert not ServingStatsMinute.objects.exists()  # nobody was served


def test_a_model_is_the_same_as_itself(pair):
    candidate, _ = pair

    found = replay_requests(candidate, candidate)

    assert found["figures"]["source"] == ReplaySource.RATERS
    assert (found["figures"]["overlap"], found["figures"]["score_psi"], found["sample"]) == (1.0, 0.0, [])


def test_the_first_model_is_asked_alone(pair):
    figures = replay_requests(pair[0], None)["figures"]

    assert (figures["n_requests"], figures["n_errors"], figures["overlap"]) == (50, 0, None)


def test_a_model_that_shows_what_was_dismissed_is_found_out(pair, monkeypatch):
    candidate, champion = pair
    user = User.objects.order_by("pk").first()
    show(user, *["personal"] * 5)
    movie = champion_list(champion, user)[0]
    Dismissal.objects.create(user=user, movie_id=movie)

    def leaks(self, exclude, n_rows):
        kept = exclude and [[other for other in ids if other != movie] for ids in exclude]
        return type(self).__mro__[1]._excluded(self, kept, n_rows)

    monkeypatch.setattr(ESTIMATORS["item_knn"], "_excluded", leaks, raising=False)

    assert replay_requests(champion, candidate)["figures"]["n_excluded"] == 1
    assert replay_requests(candidate, champion)["figures"]["n_excluded"] == 0


def champion_list(version, user: User) -> list[int]:
    [replayed] = replay([Request(user.pk, 5, "personal")], [load_version(version)])
    return list(replayed.answers[0].movies)


def test_a_failing_model_is_an_error_in_each_request(pair, settings, monkeypatch):
    candidate, champion = pair
    monkeypatch.setattr(ESTIMATORS["item_knn"], "_score_history", lambda *arguments: 1 / 0)
    assert replay_requests(candidate, champion)["figures"]["n_errors"] == 0
    assert replay_requests(candidate, champion)["figures"]["overlap"] is None
    (settings.MODEL_DIR / candidate.artifact / "manifest.json").unlink()

    figures = replay_requests(candidate, champion)["figures"]

    assert (figures["n_errors"], figures["n_requests"]) == (50, 50)


def test_the_latest_raters_come_first(rated_site):
    latest = [request.user_id for request in lists_of_latest_raters(3)]

    last = Rating.objects.order_by("-rated_at").first()
    assert (latest[0], len(set(latest))) == (last.user_id, 3)
