"""People who use the site all the while: what they were answered, and which ratings they were told are kept."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from benchmarks.drills.pages import sign_in

PAUSE = 0.8  # seconds between two requests of one person
PATIENCE = 15.0
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
class Visitors:
    """A passer-by, a member at the pages and a program at the API, each in a thread of their own."""

    address: str
    tokens: list[str]
    member: str
    movies: list[int]
    answers: list[Answer] = field(default_factory=list)
    kept: dict[tuple[str, int], float] = field(default_factory=dict)
    writing: threading.Lock = field(default_factory=threading.Lock)  # held, nobody rates

    def __enter__(self) -> Visitors:
        self._stop = threading.Event()
        people: list[Callable[[], None]] = [self._passer_by, self._member]
        people += [lambda token=token, seed=seed: self._program(token, seed) for seed, token in enumerate(self.tokens)]
        self._threads = [threading.Thread(target=person, daemon=True) for person in people]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE + 5)

    def since(self, moment: float) -> list[Answer]:
        return [answer for answer in list(self.answers) if answer.at >= moment]

    def _passer_by(self) -> None:
        with httpx.Client(base_url=self.address, timeout=PATIENCE) as client:
            self._walk(client, ["/", "/movies/", f"/movies/{self.movies[0]}/", "/healthz"])

    def _member(self) -> None:
        with httpx.Client(base_url=self.address, timeout=PATIENCE) as client:
            sign_in(client, self.member)
            self._walk(client, ["/", "/ratings/", "/watchlist/"])

    def _walk(self, client: httpx.Client, paths: list[str]) -> None:
        while not self._stop.is_set():
            for path in paths:
                self._ask(client, "GET", path)

    def _program(self, token: str, seed: int) -> None:
        rng = random.Random(seed)
        headers = {"Authorization": f"Token {token}"}
        with httpx.Client(base_url=f"{self.address}/api/v1/", headers=headers, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                self._ask(client, "GET", "recommendations/")
                self._rate(client, token, rng.choice(self.movies), rng.randint(1, 10) / 2)

    def _rate(self, client: httpx.Client, token: str, movie: int, stars: float) -> None:
        with self.writing:
            answer = self._ask(client, "PUT", f"ratings/{movie}/", json={"rating": stars})
            if answer.is_good:
                self.kept[token, movie] = stars
            else:  # nobody was told whether it is kept
                self.kept.pop((token, movie), None)

    def _ask(self, client: httpx.Client, method: str, path: str, json: object = None) -> Answer:
        started = time.monotonic()
        try:
            status = client.request(method, path, json=json, follow_redirects=True).status_code
        except httpx.HTTPError:
            status = NO_ANSWER
        answer = Answer(started, status, time.monotonic() - started, f"{method} {path}")
        self.answers.append(answer)
        self._stop.wait(PAUSE)
        return answer
