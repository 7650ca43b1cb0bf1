from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from recommender.models import ServedMinute
from recommender.services import prune_served_minutes, recommend
from recommender.serving.model_server import server
from recommender.serving.stats import CLASS_SECONDS, Service, Tally, service_of, tally


def service(version: int) -> Service:
    now = timezone.now()
    return service_of(version, since=now - timedelta(minutes=5), until=now)


def test_what_processes_count_adds_up(db):
    one, two = Tally(), Tally()
    for process in (one, two):
        process.served(7, 0.004)
        process.served(7, 0.3)
        process.failed(7)
        process.flush()
    one.served(7, 99.0)
    one.flush()
    two.served(8, 0.1)
    two.flush()

    assert ServedMinute.objects.filter(version=7).values("process").distinct().count() == 2
    found = service(7)
    assert (found.n_served, found.n_failed, found.n_requests) == (5, 2, 7)
    assert sum(found.seconds) == 5
    assert service(8).n_served == 1
    assert service(9) == Service(0, 0, ())


def test_quantiles_are_the_upper_ends_of_their_classes(db):
    for seconds in (*[0.003] * 94, *[0.09] * 6):
        tally.served(1, seconds)
    tally.flush()

    found = service(1)
    assert (found.quantile(0.94), found.quantile(0.95)) == (0.005, 0.1)
    assert Service(1, 0, (*[0] * len(CLASS_SECONDS), 1)).quantile(0.95) == float("inf")
    assert Service(0, 3, ()).quantile(0.95) is None


def test_what_cannot_be_written_is_written_later(db, monkeypatch):
    tally.served(1, 0.01)
    with monkeypatch.context() as broken:
        broken.setattr("recommender.serving.stats._write", lambda rows: (_ for _ in ()).throw(OperationalError("away")))
        with pytest.raises(OperationalError):
            tally.flush()

    tally.flush()

    assert service(1).n_served == 1


def test_nothing_new_writes_nothing(db, django_assert_num_queries):
    tally.served(1, 0.01)
    tally.flush()

    with django_assert_num_queries(0):
        tally.flush()


def test_lists_and_failures_of_the_served_model_are_counted(fan, train, monkeypatch):
    row = train()
    recommend(user=fan, k=5, surface="test")
    monkeypatch.setattr(type(server.served()[0].model), "recommend_for_history", lambda *a, **b: 1 / 0)

    assert recommend(user=fan, k=5, surface="test").fallback == "popular"

    tally.flush()
    found = service(row.version)
    assert (found.n_served, found.n_failed) == (1, 1)


def test_a_model_that_cannot_be_loaded_is_a_failure(camps, train, settings):
    row = train()
    (settings.MODEL_DIR / row.artifact / "manifest.json").unlink()
    server.reset()

    assert server.served() == ()

    tally.flush()
    assert service(row.version).n_failed == 1


def test_old_minutes_are_pruned(db):
    long_ago = timezone.now() - timedelta(days=400)
    for minute in (long_ago, timezone.now()):
        ServedMinute.objects.create(process="a", version=1, minute=minute, n_served=1, n_failed=0, seconds=[])

    assert (prune_served_minutes(), ServedMinute.objects.count()) == (1, 1)
