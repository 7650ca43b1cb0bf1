"""The process of a sync with Wikidata is killed. Nothing is lost, duplicated or counted twice."""

import random
import sys
import time
from pathlib import Path

import pytest

from catalog.models import Credit, Movie, MovieGenre, Person, Picture
from catalog.models.wikidata import WikidataRecord, WikidataRun
from tests.commons_documents import commons_file
from tests.factories import MovieFactory
from tests.mlops.site import write_policy
from tests.processes import running, wait_for
from tests.wikidata_documents import amount, document, film, item, statement, text
from tests.wikidata_stand_in import WikidataStandIn

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]

N_MOVIES = 300
N_KILLS = 3


def test_a_killed_sync_loses_and_doubles_nothing(tmp_path: Path):
    films = []
    for number in range(1, N_MOVIES + 1):
        MovieFactory(imdb_id=f"tt{number:07}", popularity=-number)
        facts = (statement("P57", item(5000 + number % 7)), statement("P161", item(6000 + number)))
        more = (statement("P136", item(1)), statement("P2047", amount("+90")))
        more += (statement("P18", text(f"{10_000 + number}.jpg")),) if number % 3 == 0 else ()
        films.append(film(10_000 + number, f"Film {number}", *facts, *more, imdb_id=f"tt{number:07}"))
    people = [*range(5000, 5007), *range(6001, 6001 + N_MOVIES)]
    names = [document(number, {"en": f"Person {number}"}, statement("P18", text(f"{number}.jpg"))) for number in people]
    pictured = [*people, *range(10_003, 10_001 + N_MOVIES, 3)]
    policy = write_policy(tmp_path / "policy.yaml", wikidata={"pause_seconds": 0.2})
    with WikidataStandIn([*films, *names, document(1, {"en": "drama film"})], pause=0.2, latency=0.1) as wikidata:
        wikidata.serve_files(*(commons_file(f"{number}.jpg", f"Author {number}") for number in pictured))
        environment = {"WIKIDATA_API_URL": wikidata.api_url, "WIKIDATA_QUERY_URL": wikidata.query_url}
        environment |= {
            "COMMONS_API_URL": wikidata.commons_url,
            "WIKIDATA_CONTACT": "ops@example.org",
            "CONFIG_FILE": str(policy),
        }
        command = (sys.executable, "manage.py", "sync_wikidata")
        for number in range(N_KILLS):
            with running(*command, log=tmp_path / f"{number}.log", **environment):
                at = len(wikidata.arrivals) + 5
                wait_for(lambda at=at: len(wikidata.arrivals) >= at, seconds=120, what=f"{at} requests")
                time.sleep(random.random() / 3)
            wikidata.n_lost += 1  # a request may have been under way
        with running(*command, log=tmp_path / "last.log", **environment) as last:
            wait_for(lambda: last.poll() is not None, seconds=240, what="the end")
        assert wikidata.broken_rules == []

    assert last.returncode == 0, (tmp_path / "last.log").read_text()
    assert WikidataRecord.objects.filter(state="read").count() == N_MOVIES
    assert Movie.objects.filter(runtime_minutes=90).count() == N_MOVIES
    assert sum(run.counts.get("updated", 0) for run in WikidataRun.objects.all()) == N_MOVIES
    rows = [model.objects.count() for model in (Person, Credit, MovieGenre)]
    assert rows == [len(people), 2 * N_MOVIES, N_MOVIES]
    shown = Picture.objects.exclude(url="").values_list("file", "author")
    assert sorted(shown) == sorted((f"{number}.jpg", f"Author {number}") for number in pictured)
