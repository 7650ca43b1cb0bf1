"""Feeds served by gunicorn, with a trace collector. Programs can read them, and no secret is logged."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from catalog.keys import create_feeds_key
from catalog.models import Movie, User, WatchlistItem
from tests.collector import Collector, collecting
from tests.factories import MovieFactory
from tests.processes import site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NAMES = ("watchlist.json", "watchlist.rss", "watchlist.ics", "recommendations.json", "because-you-watched.json")


@pytest.fixture
def movies(nora: User) -> list[Movie]:
    found = MovieFactory.create_batch(20)
    WatchlistItem.objects.bulk_create(WatchlistItem(user=nora, movie=movie) for movie in found)
    return found


@pytest.fixture
def running_site(tmp_path) -> Iterator[tuple[str, Collector, Any]]:
    log = tmp_path / "web.log"
    with collecting() as collector:
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with site(log=log, **tracing) as address:
            yield address, collector, log


def test_feeds_are_read_and_their_secret_is_nowhere(running_site, movies, nora):
    address, collector, log = running_site
    key = create_feeds_key(user=nora).key
    start = f"{address}/api/v1/feeds/{key}"
    answers = [httpx.get(f"{start}/{name}", timeout=60) for name in NAMES]
    again = [
        httpx.get(str(answer.url), headers={"If-None-Match": answer.headers["ETag"]}, timeout=60) for answer in answers
    ]
    with httpx.stream("GET", f"{start}/watchlist.json", headers={"Accept-Encoding": "gzip"}, timeout=60) as sent:
        raw = b"".join(sent.iter_raw())
    wrong = [
        httpx.get(f"{address}/api/v1/feeds/{key}x/watchlist.json", timeout=60),
        httpx.get(f"{start}/watchlist.xml", timeout=60),
        httpx.get(f"{start}/watchlist.json/", timeout=60),
        httpx.get(f"{start}/recommendations.json", params={"k": key}, timeout=60),
        httpx.post(f"{start}/watchlist.json", json={"key": key}, timeout=60),
        httpx.get(f"{address}/api/{key}", timeout=60),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(NAMES)
    assert [answer.status_code for answer in again] == [304] * len(NAMES)
    assert gzip.decompress(raw) == answers[0].content and len(answers[0].json()) == 20
    assert [answer.status_code for answer in wrong] == [404, 404, 404, 400, 405, 404]
    assert not any(key in answer.text for answer in answers)
    n_requests = 2 * len(NAMES) + 1 + len(wrong)
    wait_for(lambda: len(collector.spans) >= n_requests, seconds=60, what="the spans are sent")
    assert key[4:].encode() not in b"".join(collector.bodies)
    assert key[4:] not in log.read_text("utf-8")
    assert "/api/v1/feeds/<key>/watchlist.ics 200" in log.read_text("utf-8")
    assert key[4:] not in httpx.get(f"{address}/metrics", timeout=60).text
