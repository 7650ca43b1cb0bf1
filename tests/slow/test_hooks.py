"""Media servers, the site behind gunicorn and a trace collector. Watched movies disappear from the next list."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from catalog.hooks.services import create_hook
from catalog.models import Hook, HookEvent, Movie, Viewing
from catalog.popularity import refresh_popularity
from tests.catalog.hooks.test_payloads import CASES
from tests.collector import Collector, collecting
from tests.factories import MovieFactory, RatingFactory, UserFactory, key_of
from tests.processes import site, wait_for
from tests.recommender.conftest import count_ratings

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PLAYED = [of for name, of in CASES.items() if name.endswith(": played") or name == "json: watched"]
RATED = [of for name, of in CASES.items() if name.endswith(": rated")]


@pytest.fixture
def alien() -> Movie:
    """The most popular of some movies, which no model ranks yet."""
    movie = MovieFactory(title="Alien", year=1979, imdb_id="tt0078748", tmdb_id=348)
    for other in MovieFactory.create_batch(5):
        RatingFactory(movie=other, rating=4)
    for _ in range(9):
        RatingFactory(movie=movie, rating=5)
    count_ratings()
    refresh_popularity()
    return movie


@pytest.fixture
def running_site(tmp_path) -> Iterator[tuple[str, Collector, Any]]:
    log = tmp_path / "web.log"
    with collecting() as collector:
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with site(log=log, **tracing) as address:
            yield address, collector, log


def send(address: str, service: str, case: dict[str, Any], secret: str) -> httpx.Response:
    text, url = json.dumps(case["payload"]), f"{address}/api/v1/hooks/{service}/{secret}/"
    if case["sent_as"] == "multipart":
        picture = ("thumb.jpg", b"\xff\xd8" + b"picture" * 5000, "image/jpeg")
        return httpx.post(url, data={"payload": text}, files={"thumb": picture}, timeout=60)
    return httpx.post(url, content=text, headers={"Content-Type": case["sent_as"]}, timeout=60)


def listed(address: str, key: str) -> list[int]:
    answer = httpx.get(f"{address}/api/v1/recommendations/?k=5", headers={"Authorization": f"Token {key}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return [row["movie"]["id"] for row in answer.json()["results"]]


def test_what_each_server_sends_is_in_the_next_list(running_site, alien):
    address, _, _ = running_site
    for service, case in PLAYED:
        user = UserFactory()
        secret, key = create_hook(user=user).secret, key_of(user)
        Hook.objects.filter(user=user).update(names="nora")
        assert alien.pk in listed(address, key)
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(send, address, service, case, secret) for _ in range(50)]
        outcomes = sorted(answer.result().json()["outcome"] for answer in sent)

        assert outcomes == ["added"] + ["known"] * 49, service
        assert alien.pk not in listed(address, key)
        assert user.viewings.count() == 1
    for service, case in RATED:
        user = UserFactory()
        secret = create_hook(user=user).secret
        Hook.objects.filter(user=user).update(names="nora")
        assert send(address, service, case, secret).json() == {"outcome": "rated"}
        assert user.ratings.get().rating == case["expected"]["rating"]


@pytest.mark.parametrize("service", ["plex", "jellyfin"])
def test_what_is_refused_keeps_nothing_and_no_secret_is_written(running_site, alien, nora, service):
    address, collector, log = running_site
    secret, case = create_hook(user=nora).secret, CASES[f"{service}: played"][1]
    huge = {**case, "payload": {**case["payload"], "Overview": "x" * (3 << 20)}}
    answers = [
        send(address, service, case, secret + "x"),
        send(address, service, huge, secret),
        httpx.post(f"{address}/api/v1/hooks/{service}/{secret}", timeout=60),  # without the slash at its end
        httpx.post(f"{address}/api/v1/hooks/{service}/{secret}/more/", timeout=60),
        httpx.get(f"{address}/api/v1/hooks/{service}/{secret}/", timeout=60),
        httpx.get(f"{address}/api/{secret}", params={"key": secret}, timeout=60),
        send(address, service, {**case, "payload": [secret]}, secret),
    ]
    Hook.objects.update(names="somebody else")
    answers.append(send(address, service, case, secret))

    assert [answer.status_code for answer in answers] == [404, 413, 404, 404, 405, 404, 400, 403]
    assert not HookEvent.objects.exists() and not Viewing.objects.exists()
    wait_for(lambda: len(collector.spans) >= len(answers), seconds=60, what="the spans are sent")
    assert secret[4:].encode() not in b"".join(collector.bodies)
    assert secret[4:] not in log.read_text("utf-8")
    assert "/api/v1/hooks/<service>/<key>/ 403" in log.read_text("utf-8")
