"""Sends passwords to every endpoint that accepts them, many at once."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

PAGES = ("/accounts/sign-in/",)  # the admin redirects there
PLACES = (*PAGES, "/api/v1/token/")
REFUSED = 429
BUSY = 503


@contextmanager
def visitor(address: str) -> Iterator[httpx.Client]:
    """Yields a client with the cookie of the sign-in page."""
    # Uses a new connection for each request, so that any worker may get it and none is closed while in use.
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=0)
    with httpx.Client(base_url=address, timeout=120, limits=limits) as client:
        assert client.get(PAGES[0]).status_code == 200
        yield client


def send(client: httpx.Client, place: str, username: str, password: str, **headers: str) -> httpx.Response:
    form = {"username": username, "password": password}
    if place not in PAGES:
        return client.post(place, json=form, headers=headers)
    return client.post(place, data=form | {"csrfmiddlewaretoken": client.cookies["csrftoken"]}, headers=headers)


def guess(client: httpx.Client, n: int, username: str, *, own_addresses: bool = False) -> Counter[int]:
    """Sends wrong passwords to all endpoints in turn, 32 at once. Returns how often each status occurred.

    Retries after the requested time if the site is overloaded.
    """

    def one(number: int, place: str) -> int:
        headers = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"} if own_addresses else {}
        while (answer := send(client, place, username, f"wrong {number}", **headers)).status_code == BUSY:
            time.sleep(float(answer.headers["Retry-After"]))
        return answer.status_code

    with ThreadPoolExecutor(32) as pool:
        return Counter(pool.map(one, range(n), itertools.islice(itertools.cycle(PLACES), n)))
