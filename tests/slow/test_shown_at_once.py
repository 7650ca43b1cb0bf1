"""Data written by one process is visible to every other process at once, while both are busy."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from threading import Event, Thread

import httpx
import pytest

from catalog.models import APIKey, User
from catalog.models.api_key import hash_of
from mlops.services import promote
from tests.factories import UserFactory, key_of
from tests.mlops.site import make_version, write_policy
from tests.processes import site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]

N_CHANGES = 1000
N_TOKENS = 50


def client(address: str, user: User) -> httpx.Client:
    token = key_of(user)
    return httpx.Client(base_url=address, headers={"Authorization": f"Token {token}"}, timeout=60, verify=False)


def listed(client: httpx.Client) -> list[int]:
    answer = client.get("/api/v1/recommendations/?k=5")
    assert answer.status_code == 200, answer.text
    return [row["movie"]["id"] for row in answer.json()["results"]]


@pytest.fixture
def processes(rated_site, tmp_path) -> Iterator[list[str]]:
    """The addresses of two, each of which somebody asks for lists all the time."""
    write_policy(rated_site, limits={"user": "1000000/min"})
    promote(version=make_version().pk)
    stop = Event()

    def be_busy(one: httpx.Client) -> None:
        while not stop.is_set():
            listed(one)

    with ExitStack() as stack:
        names = ("first", "second")
        addresses = [stack.enter_context(site(log=tmp_path / f"{name}.log", workers=1)) for name in names]
        clients = [client(address, UserFactory()) for address in addresses]
        load = [Thread(target=be_busy, args=[one]) for one in clients]
        for thread in load:
            thread.start()
        yield addresses
        stop.set()
        for thread in load:
            thread.join()


def test_a_rating_shows_in_the_next_list_of_every_process(processes):
    """The best movie, rated, is in no list; without the rating, it is the best again."""
    user = User.objects.get(username="rater1")
    clients = [client(address, user) for address in processes]
    best, *others = listed(clients[0])
    for one, other in islice(cycle([clients, clients[::-1]]), N_CHANGES // 2):
        assert one.put(f"/api/v1/ratings/{best}/", json={"rating": 5}).status_code == 201
        assert best not in listed(other)
        assert one.delete(f"/api/v1/ratings/{best}/").status_code == 204
        assert listed(other) == [best, *others]


def test_a_revoked_token_answers_nowhere(processes):
    for _ in range(N_TOKENS):
        clients = [client(address, UserFactory()) for address in processes]
        users = [one.get("/api/v1/recommendations/").status_code for one in clients]
        assert users == [200, 200]
        APIKey.objects.filter(hash__in=[hash_of(one.headers["Authorization"].split()[1]) for one in clients]).delete()
        assert {one.get("/api/v1/recommendations/").status_code for one in clients * 3} == {401}
