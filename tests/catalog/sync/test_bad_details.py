"""Invalid details in TMDB's records are dropped. Records without an id or title are rejected."""

import re

import pytest

from catalog.models import Movie, SyncRun, TMDBRecord
from catalog.models.reasons import Code
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest
from tests.catalog.sync.runs import sync_ids
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db
Scope = SyncRun.Scope


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": None}, "title: Input should be a valid string"),
        ({"title": "\u200f"}, "title"),
        ({"id": "x"}, "id: "),
    ],
)
def test_without_id_or_title_a_document_is_rejected(tmdb, change, reason):
    tmdb.serve(document(1), document(3))
    tmdb.movies[2] = document(2) | change

    run = sync_ids(1, 2, 3)

    assert (run.status, run.message) == ("succeeded", "2 added, 1 rejected.")
    record = TMDBRecord.objects.get(tmdb_id=2)
    assert record.state == "rejected"
    assert re.search(reason, record.reasons[0][1]["error"])
    tmdb.movies[2] = document(2)
    sync(SyncRequest(Scope.EVERYTHING))
    assert Movie.objects.filter(tmdb_id=2).exists()  # mended: the next sync asks again


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"runtime": "100"}, "runtime_minutes: Input should be a valid integer"),
        ({"credits": {"cast": [{"id": "x", "name": "A"}], "crew": []}}, "cast.0.id"),
        ({"release_date": "2020-13-45"}, "release_date: .*expected a date"),
        ({"overview": "x" * 20_001}, "overview: Value should have at most 20000"),
        ({"poster_path": "/../../x.jpg"}, "poster_path"),
        ({"external_ids": {"imdb_id": "tt0000009"}}, "two IMDb ids"),
    ],
)
def test_a_bad_detail_costs_itself_and_is_recorded(tmdb, change, reason):
    tmdb.serve(document(1), document(2) | change, document(3))

    run = sync_ids(1, 2, 3)

    assert (run.status, run.message) == ("succeeded", "3 added.")
    record = TMDBRecord.objects.get(tmdb_id=2)
    assert record.state == "fetched"
    [[code, params]] = record.reasons
    assert (code, params["n"]) == (Code.IGNORED, 1)
    assert re.search(reason, params["details"])
    tmdb.serve(document(2))
    sync_ids(2)
    assert TMDBRecord.objects.get(tmdb_id=2).reasons == []
