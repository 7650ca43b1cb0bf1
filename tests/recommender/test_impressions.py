import threading
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client import REGISTRY

from recommender.models import Impression
from recommender.services import popular, prune_impressions, recommend
from recommender.serving.lists import impressions
from tests.factories import MovieFactory, UserFactory
from tests.recommender.test_model_server import wait_for

pytestmark = pytest.mark.django_db


def shown(user=None, **fields) -> Impression:
    known = {"surface": "test", "items": [[1, 1, "popular"]], "shown_at": timezone.now()}
    return Impression(request_id=uuid.uuid4(), user_id=user and user.pk, **known | fields)


def put(impression: Impression) -> None:
    impressions.put(impression.request_id, impression)


def dropped() -> float:
    return REGISTRY.get_sample_value("movierec_impressions_dropped_total")


def test_a_list_waits_in_memory_and_is_written_whole(nora, django_assert_num_queries):
    MovieFactory.create_batch(3)
    recommendations = recommend(user=nora, k=3, surface="test")
    assert not Impression.objects.exists()
    impressions.flush()
    kept = Impression.objects.get()
    assert (kept.request_id, kept.user, kept.surface) == (recommendations.request_id, nora, "test")
    assert (kept.model_version, kept.fallback) == (None, "newest")
    assert kept.items == [[result.movie.pk, result.rank, "newest"] for result in recommendations.results]
    with django_assert_num_queries(0):
        impressions.flush()


def test_an_empty_list_is_not_recorded_as_shown(nora):
    recommend(user=nora, surface="test")
    assert len(impressions) == 0


@pytest.mark.django_db(transaction=True)
def test_lists_are_kept_within_seconds_by_the_thread(threads):
    MovieFactory()
    popular(user=None, surface="test")
    wait_for(lambda: Impression.objects.count() == 1)


def test_a_busy_database_delays_lists_but_loses_none(monkeypatch, caplog):
    rows = [shown() for _ in range(5)]
    for row in rows:
        put(row)
    with monkeypatch.context() as busy:
        busy.setattr(impressions, "write", lambda rows: raise_(OperationalError("database is locked")))
        impressions.flush()
        impressions.flush()
    assert not Impression.objects.exists()
    assert caplog.text.count("Cannot write impressions") == 1
    put(shown())
    impressions.flush()
    ids = Impression.objects.order_by("pk").values_list("request_id", flat=True)
    assert list(ids)[:5] == [row.request_id for row in rows]
    assert len(ids) == 6


def raise_(error: Exception) -> None:
    raise error


def test_beyond_the_capacity_the_oldest_lists_are_dropped(monkeypatch):
    monkeypatch.setattr(impressions, "capacity", 3)
    before = dropped()
    rows = [shown() for _ in range(5)]
    for row in rows:
        put(row)
    assert (len(impressions), dropped() - before) == (3, 2)
    impressions.flush()
    assert set(Impression.objects.values_list("request_id", flat=True)) == {row.request_id for row in rows[2:]}


@pytest.mark.django_db(transaction=True)
def test_only_the_list_of_a_deleted_account_is_dropped():
    gone, stays = UserFactory(), UserFactory()
    rows = [shown(user=gone), shown(user=stays), shown()]
    for row in rows:
        put(row)
    gone.delete()
    before = dropped()
    impressions.flush()
    assert set(Impression.objects.values_list("request_id", flat=True)) == {row.request_id for row in rows[1:]}
    assert dropped() - before == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_lists_are_each_written_once(threads):
    def add() -> None:
        for _ in range(100):
            put(shown())

    adding = [threading.Thread(target=add) for _ in range(4)]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    wait_for(lambda: len(impressions) == 0 and Impression.objects.count() == 400)


def test_waiting_lists_are_written_at_exit():
    put(shown())
    impressions.flush_at_exit()
    assert Impression.objects.count() == 1


def test_exit_succeeds_without_the_database(monkeypatch):
    monkeypatch.setattr(impressions, "write", lambda rows: raise_(RuntimeError("no database")))
    put(shown())
    impressions.flush_at_exit()


def test_lists_are_pruned_after_the_days_of_the_policy(settings):
    days = settings.POLICY.serving.impressions_days
    old = shown(shown_at=timezone.now() - timedelta(days=days, minutes=1))
    young = shown(shown_at=timezone.now() - timedelta(days=days) + timedelta(minutes=1))
    Impression.objects.bulk_create([old, young])
    assert prune_impressions() == 1
    assert Impression.objects.get() == young
    assert prune_impressions() == 0
