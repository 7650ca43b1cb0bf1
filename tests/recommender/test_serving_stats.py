from datetime import timedelta

from django.db import OperationalError
from django.utils import timezone

from recommender.models import ServingStatsMinute
from recommender.services import prune_serving_stats, recommend
from recommender.serving.model_server import server
from recommender.serving.stats import LATENCY_BUCKETS, ServingStats, ServingStatsRecorder, serving_stats


def recent(version: int) -> ServingStats:
    now = timezone.now()
    return ServingStats.between(now - timedelta(minutes=5), now, version=version)


def test_the_counts_of_all_processes_add_up(db):
    one, two = ServingStatsRecorder(), ServingStatsRecorder()
    for process in (one, two):
        process.record_served(7, 0.004)
        process.record_served(7, 0.3)
        process.record_failure(7)
        process.flush()
    one.record_served(7, 99.0)
    one.flush()
    two.record_served(8, 0.1)
    two.flush()

    assert ServingStatsMinute.objects.filter(version=7).values("process").distinct().count() == 2
    stats = recent(7)
    assert (stats.n_served, stats.n_failed, stats.n_requests) == (5, 2, 7)
    assert sum(stats.latency_histogram) == 5
    assert recent(8).n_served == 1
    assert recent(9) == ServingStats()


def test_a_quantile_is_the_upper_bound_of_its_bucket(db):
    for seconds in (*[0.003] * 94, *[0.09] * 6):
        serving_stats.record_served(1, seconds)
    serving_stats.flush()

    stats = recent(1)
    assert (stats.quantile(0.94), stats.quantile(0.95)) == (0.005, 0.1)
    assert ServingStats(0, [*[0] * len(LATENCY_BUCKETS), 1]).quantile(0.95) == float("inf")
    assert ServingStats(n_failed=3).quantile(0.95) is None


def test_counts_survive_a_database_error(db, monkeypatch, caplog):
    serving_stats.record_served(1, 0.01)
    with monkeypatch.context() as broken:
        broken.setattr(serving_stats, "write", lambda rows: (_ for _ in ()).throw(OperationalError("away")))
        serving_stats.flush()
    serving_stats.record_served(1, 0.01)
    assert "Cannot write serving stats" in caplog.text
    assert recent(1).n_served == 0

    serving_stats.flush()

    assert recent(1).n_served == 2


def test_unchanged_counts_are_not_written_again(db, django_assert_num_queries):
    serving_stats.record_served(1, 0.01)
    serving_stats.flush()

    with django_assert_num_queries(0):
        serving_stats.flush()


def test_lists_and_failures_of_the_served_model_are_counted(fan, train, monkeypatch):
    row = train()
    recommend(user=fan, k=5, surface="test")
    monkeypatch.setattr(type(server.models()[0].model), "_cut", lambda *a, **b: 1 / 0)

    assert recommend(user=fan, k=5, surface="test").fallback == "popular"

    serving_stats.flush()
    stats = recent(row.version)
    assert (stats.n_served, stats.n_failed) == (1, 1)


def test_a_model_that_cannot_be_loaded_is_a_failure(camps, train, settings):
    row = train()
    (settings.MODEL_DIR / row.artifact / "manifest.json").unlink()
    server.reset()

    assert server.models() == ()

    serving_stats.flush()
    assert recent(row.version).n_failed == 1


def test_old_minutes_are_pruned(db):
    long_ago = timezone.now() - timedelta(days=400)
    for minute in (long_ago, timezone.now()):
        ServingStatsMinute.objects.create(
            process="a", version=1, minute=minute, n_served=1, n_failed=0, latency_histogram=[]
        )

    assert (prune_serving_stats(), ServingStatsMinute.objects.count()) == (1, 1)
