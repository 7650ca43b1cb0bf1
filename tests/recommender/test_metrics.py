import pytest
from prometheus_client import REGISTRY

from recommender.services import popular, recommend, similar
from recommender.serving.model_server import server

pytestmark = pytest.mark.django_db


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_each_list_is_counted_once_and_timed(train, camps, fan, nora):
    train(version=11)
    names = [
        ("model_predictions_total", {"source": "personal", "version": "11"}),
        ("model_predictions_total", {"source": "similar", "version": "11"}),
        ("model_predictions_total", {"source": "popular", "version": "none"}),
        ("movierec_fallbacks_total", {"step": "popular"}),
        ("model_prediction_duration_seconds_count", {}),
    ]
    before = [sample(name, **labels) for name, labels in names]
    recommend(user=fan, k=7, surface="test")
    similar(movie=camps["Romance"][0], k=7)
    recommend(user=nora, k=7, surface="test")
    popular(user=None, k=7, surface="test")
    after = [sample(name, **labels) for name, labels in names]
    assert [now - then for then, now in zip(before, after, strict=True)] == [1, 1, 2, 1, 4]


def test_a_failing_source_is_counted_and_logged_once_a_minute(train, camps, fan, monkeypatch, caplog):
    train(version=1)
    train(version=2, algorithm="popularity")
    monkeypatch.setattr(server.models()[0].model, "_cut", None)
    before = sample("movierec_step_errors_total", step="champion"), sample("movierec_fallbacks_total", step="previous")
    for _ in range(3):
        recommendations = recommend(user=fan, surface="test")
        assert (recommendations.model_version, recommendations.fallback) == (1, "previous")
    assert sample("movierec_step_errors_total", step="champion") == before[0] + 3
    assert sample("movierec_fallbacks_total", step="previous") == before[1] + 3
    assert caplog.text.count("Source champion of the fallback chain failed") == 1
