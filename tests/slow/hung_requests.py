"""Each kind of request that counts requests, sends jobs or signs in."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import httpx

from catalog.imports.lifecycle import read_import
from catalog.models import User, UserImport
from mlops.models import PipelineRun
from mlops.services import cancel_run
from tests.factories import MovieFactory, UserFactory, key_of
from tests.mlops.site import make_version
from tests.processes import wait_for
from tests.sign_in import send, visitor

PASSWORD = "correct horse battery"
FILE = {"file": ("films.csv", b"title,year,rating\nHeat,1995,4\n", "text/csv")}
_numbers = count()

Request = Callable[[], httpx.Response]


class Answer(NamedTuple):
    status: int
    seconds: float
    body: str


def timed(request: Request) -> Answer:
    started = time.perf_counter()
    answer = request()
    return Answer(answer.status_code, time.perf_counter() - started, answer.text)


class Requests:
    """Of the site at an address. Each round has people and names of its own."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.members: dict[str, httpx.Client] = {}
        self._clients = ExitStack()

    def __enter__(self) -> "Requests":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._clients.close()

    def ready(self) -> dict[str, Request]:
        """Prepares everything, so that one request is left of each kind."""
        admin = self._person(is_staff=True, is_superuser=True)
        client = self.members[admin.username] = self._client()
        stranger = self._client()
        assert send(client, "/accounts/sign-in/", admin.username, PASSWORD).status_code == 302
        token = {"Authorization": f"Token {key_of(admin)}"}
        movie, version = MovieFactory(), make_version()
        name = f"new-{next(_numbers)}"
        sign_up = {"username": name, "password": PASSWORD, "password_again": PASSWORD}
        change = {"old_password": PASSWORD, "new_password1": PASSWORD[::-1], "new_password2": PASSWORD[::-1]}
        json = partial(self._client().request, headers=token)
        return {
            "sign-in": partial(send, self._client(), "/accounts/sign-in/", self._person().username, PASSWORD),
            "token": partial(send, self._client(), "/api/v1/token/", self._person().username, PASSWORD),
            "sign-up": partial(_post, stranger, "/accounts/sign-up/", sign_up),
            "list": partial(json, "GET", "/api/v1/recommendations/"),
            "page": partial(client.get, "/movies/"),
            "rating": partial(json, "PUT", f"/api/v1/ratings/{movie.pk}/", json={"rating": 4}),
            "commit": partial(json, "POST", f"/api/v1/import/{self._read_import(json)}/commit/"),
            "upload": partial(_post, client, "/import/", {"format": "csv"}, files=FILE),
            "promote": partial(json, "POST", f"/api/v1/models/{version.pk}/promote/", json={"reason": "newer"}),
            "train": partial(_alone, partial(json, "POST", "/api/v1/runs/", json={})),
            "train in the admin": partial(_alone, partial(_post, client, "/admin/mlops/pipelinerun/train/", {})),
            "password change": partial(_post, client, "/accounts/password/", change),
        }

    def _read_import(self, json: Callable[..., httpx.Response]) -> int:
        number: int = json("POST", "/api/v1/import/", data={"format": "csv"}, files=FILE).json()["id"]
        read_import(import_id=number)  # unless a worker is faster
        read = UserImport.objects.filter(pk=number, status="succeeded")
        wait_for(read.exists, seconds=60, what="the import is read")
        return number

    def _person(self, **fields: bool) -> User:
        return UserFactory(username=f"person-{next(_numbers)}", password=PASSWORD, **fields)

    def _client(self) -> httpx.Client:
        return self._clients.enter_context(visitor(self.site))


def _alone(request: Request) -> httpx.Response:
    """Without another training that is queued."""
    for run in PipelineRun.objects.filter(status="queued"):
        cancel_run(run_id=run.pk)
    return request()


def _post(client: httpx.Client, path: str, form: dict[str, Any], **options: Any) -> httpx.Response:
    return client.post(path, data=form | {"csrfmiddlewaretoken": client.cookies["csrftoken"]}, **options)


def in_turn(requests: dict[str, Request], pause: float = 0.0) -> Iterator[tuple[str, Answer]]:
    for name, request in requests.items():
        time.sleep(pause)
        yield name, timed(request)
