"""A worker that is killed in the midst of a sync."""

import os
import signal
import time

import pytest
from django.db import connection

from catalog.aggregates import rebuild_aggregates
from catalog.following import rows, syncs
from catalog.following.services import follow
from catalog.jobs.reaper import requeue_stale
from catalog.models import FollowedRow, FollowedSource, Rating, SourceSync, Viewing
from catalog.tasks import sync_source
from tests.catalog.following.conftest import RSS
from tests.catalog.following.sites import Page, entry, feed
from tests.factories import MovieFactory


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["asked", "written"])
def test_a_killed_worker_loses_and_doubles_nothing(sites, nora, monkeypatch, moment):
    """A process of its own reads the source, and is killed while it waits or before it commits its second batch."""
    MovieFactory(title="Heat", year=1995)
    MovieFactory(title="Ran", year=1985)
    monkeypatch.setattr("catalog.following.syncs.ROWS_A_WRITE", 1)
    items = feed(entry(8, "Ran", 1985, 5, day="2026-04-20"), entry(7, "Heat", 1995, 4))
    sites.serve(RSS, Page(items, before=(lambda: time.sleep(3)) if moment == "asked" else None), Page(items))
    source = follow(user=nora, kind="letterboxd", address="nora", trigger="page")
    sync = source.syncs.get()
    connection.close()
    child = os.fork()
    if child == 0:
        if moment == "written":
            _kill_at_the_second_commit(monkeypatch)
        sync_source(sync_id=sync.pk)
        os._exit(1)
    if moment == "asked":
        deadline = time.monotonic() + 20
        while not sites.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL

    assert Rating.objects.count() == FollowedRow.objects.count() == (1 if moment == "written" else 0)
    assert requeue_stale(SourceSync.KIND) == {"ended": 1, "retried": 1, "enqueued": 0}
    assert sync_source(sync_id=sync.pk) == {"read": True}
    assert sorted(Rating.objects.values_list("movie__title", "rating")) == [("Heat", 4), ("Ran", 5)]
    assert (Viewing.objects.count(), FollowedRow.objects.count()) == (2, 2)
    assert FollowedSource.objects.get().n_failures == 0 and not rebuild_aggregates()


def _kill_at_the_second_commit(monkeypatch) -> None:
    real, calls = rows.write_rows, []

    def write(source, batch):
        counts = real(source, batch)
        calls.append(batch)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return counts

    monkeypatch.setattr(syncs, "write_rows", write)
