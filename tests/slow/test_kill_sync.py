"""Workers of a sync are killed. Nothing is lost, duplicated or counted twice."""

import random
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from catalog.models import AlternativeTitle, Credit, Movie, MovieGenre, MovieKeyword, SyncItem, SyncRun, TMDBRecord
from catalog.sync.job import open_run
from catalog.sync.work_items import SyncRequest
from tests.mlops.site import write_policy
from tests.processes import running, wait_for
from tests.tmdb_stand_in import TOKEN, Answer, TMDBStandIn, document

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]

PER_SECOND = 100
N_MOVIES = 500
N_KILLS = 3


def test_killed_workers_lose_and_double_nothing(tmp_path: Path):
    """Two work at one run; again and again one of them is killed in mid-work and another comes."""
    titles = {"titles": [{"title": "Elsewhere"}]}
    movies = [document(n, title=f"Movie {n}", alternative_titles=titles) for n in range(1, N_MOVIES + 1)]
    policy = write_policy(tmp_path / "policy.yaml", tmdb={"requests_per_second": PER_SECOND, "lease_seconds": 2})
    run, _ = open_run(SyncRequest(SyncRun.Scope.IDS, ids=tuple(movie["id"] for movie in movies)))
    with TMDBStandIn(movies, latency=0.01) as tmdb, ExitStack() as processes:
        tmdb.answer_next("movie/7", Answer(500), Answer(429, retry_after="0.2"), Answer(cut=True))
        environment = {"TMDB_API_URL": tmdb.url, "TMDB_READ_TOKEN": TOKEN, "CONFIG_FILE": str(policy)}

        def start(name: str):
            # They finish the run that is open before they begin their own small one.
            command = (sys.executable, "manage.py", "sync_tmdb", "--ids", "1")
            return processes.enter_context(running(*command, log=tmp_path / f"{name}.log", **environment))

        workers = [start("first"), start("second")]
        for number in range(N_KILLS):
            at = (number + 1) * N_MOVIES // (N_KILLS + 2)
            wait_for(lambda at=at: len(tmdb.arrivals) >= at, seconds=90, what=f"{at} requests")
            time.sleep(random.random() / 5)
            workers.pop(0).kill()
            workers.append(start(f"replacement {number}"))
        wait_for(
            lambda: not SyncRun.objects.filter(pk=run.pk, status__in=SyncRun.ACTIVE).exists(),
            seconds=180,
            what="the end",
        )

    run.refresh_from_db()
    assert (run.status, run.counts) == ("succeeded", {"added": N_MOVIES})
    assert not SyncItem.objects.filter(run=run).exists()
    assert dict(Movie.objects.values_list("tmdb_id", "title")) == {movie["id"]: movie["title"] for movie in movies}
    assert TMDBRecord.objects.filter(state="fetched", movie__isnull=False).count() == N_MOVIES
    rows = [model.objects.count() for model in (Movie, MovieGenre, MovieKeyword, AlternativeTitle, Credit)]
    assert rows == [N_MOVIES, N_MOVIES, N_MOVIES, N_MOVIES, 2 * N_MOVIES]
    assert tmdb.busiest_second() <= PER_SECOND
