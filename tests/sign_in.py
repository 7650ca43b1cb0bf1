"""Passwords sent to every place that takes them, many at once."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

PAGES = ("/accounts/sign-in/",)  # the admin leads there
PLACES = (*PAGES, "/api/v1/token/")
REFUSED = 429
BUSY = 503


@contextmanager
def visitor(address: str) -> Iterator[httpx.Client]:
    """A browser that has the cookie of the sign-in page."""
    # A new connection for each request: any worker may get it, and the site closes none that is about to be used.
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
    """Sends wrong passwords to all places in turn, 32 at once; returns how often each status was the answer.

    A site with more to do than it can is asked again, when it says.
    """

    def one(number: int, place: str) -> int:
        headers = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"} if own_addresses else {}
        while (answer := send(client, place, username, f"wrong {number}", **headers)).status_code == BUSY:
            time.sleep(float(answer.headers["Retry-After"]))
        return answer.status_code

    with ThreadPoolExecutor(32) as pool:
        return Counter(pool.map(one, range(n), itertools.islice(itertools.cycle(PLACES), n)))
