"""Generates load during a test. Records each response and the accepted ratings."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from benchmarks.chaos.pages import sign_in

PAUSE = 0.8  # seconds between two requests of one client
TIMEOUT = 15.0
HEALTH_TIMEOUT = 5.0  # typical timeout of a load balancer
NO_ANSWER = 0


class Answer(NamedTuple):
    at: float
    status: int
    seconds: float
    what: str

    @property
    def is_good(self) -> bool:
        return self.status in (200, 201)


@dataclass
class LoadGenerator:
    """An anonymous visitor, a signed-in member and API clients, each in its own thread."""

    address: str
    tokens: list[str]
    member: str
    movies: list[int]
    answers: list[Answer] = field(default_factory=list)
    health: list[Answer] = field(default_factory=list)  # responses of /readyz
    accepted: dict[tuple[str, int], float] = field(default_factory=dict)
    write_lock: threading.Lock = field(default_factory=threading.Lock)  # while it is held, no client rates

    def __enter__(self) -> LoadGenerator:
        self._stop = threading.Event()
        clients: list[Callable[[], None]] = [self._anonymous, self._member, self._health]
        clients += [
            lambda token=token, seed=seed: self._api_client(token, seed) for seed, token in enumerate(self.tokens)
        ]
        self._threads = [threading.Thread(target=client, daemon=True) for client in clients]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 5)

    def since(self, began: float) -> list[Answer]:
        return [answer for answer in list(self.answers) if answer.at >= began]

    def health_since(self, began: float) -> list[Answer]:
        return [answer for answer in list(self.health) if answer.at >= began]

    def _anonymous(self) -> None:
        with httpx.Client(base_url=self.address, timeout=TIMEOUT) as client:
            self._visit(client, ["/", "/movies/", f"/movies/{self.movies[0]}/", "/healthz"])

    def _member(self) -> None:
        with httpx.Client(base_url=self.address, timeout=TIMEOUT) as client:
            sign_in(client, self.member)
            self._visit(client, ["/", "/ratings/", "/watchlist/"])

    def _health(self) -> None:
        while not self._stop.is_set():
            with httpx.Client(base_url=self.address, timeout=HEALTH_TIMEOUT) as client:
                self._request(client, "GET", "/readyz", answers=self.health)

    def _visit(self, client: httpx.Client, paths: list[str]) -> None:
        while not self._stop.is_set():
            for path in paths:
                self._request(client, "GET", path)

    def _api_client(self, token: str, seed: int) -> None:
        rng = random.Random(seed)
        headers = {"Authorization": f"Token {token}"}
        with httpx.Client(base_url=f"{self.address}/api/v1/", headers=headers, timeout=TIMEOUT) as client:
            while not self._stop.is_set():
                self._request(client, "GET", "recommendations/")
                self._rate(client, token, rng.choice(self.movies), rng.randint(1, 10) / 2)

    def _rate(self, client: httpx.Client, token: str, movie: int, stars: float) -> None:
        with self.write_lock:
            answer = self._request(client, "PUT", f"ratings/{movie}/", json={"rating": stars})
            if answer.is_good:
                self.accepted[token, movie] = stars
            else:  # it may or may not be stored
                self.accepted.pop((token, movie), None)

    def _request(
        self, client: httpx.Client, method: str, path: str, json: object = None, answers: list[Answer] | None = None
    ) -> Answer:
        started = time.monotonic()
        try:
            status = client.request(method, path, json=json, follow_redirects=True).status_code
        except httpx.HTTPError:
            status = NO_ANSWER
        answer = Answer(started, status, time.monotonic() - started, f"{method} {path}")
        (self.answers if answers is None else answers).append(answer)
        self._stop.wait(PAUSE)
        return answer
