"""Records responses of one checkout's WSGI application, called in this process: their bytes and cost. Run as a script.

    answers.py OUT REQUESTS [PROFILE]

The environment defines the site and its checkout. Temporary tokens of its raters and of a service are deleted at the
end.
"""

from __future__ import annotations

import cProfile
import gc
import io
import json
import os
import pstats
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import django

N_USERS = 100
N_COMPARED = 15  # users whose responses are compared
WARM_UP = 100
SHOWN = 45  # lines of a profile
REQUEST_ID = re.compile(rb'"request_id":"[0-9a-f-]{36}"')
VARYING = ("X-Request-ID", "Content-Length", "ETag")  # the last is a hash of a body that contains the id

Call = tuple[str, str, str, dict[str, Any] | None]  # method, address, token, body


def call(application: Any, request: Call) -> tuple[str, list[tuple[str, str]], bytes]:
    method, address, token, body = request
    path, _, query = address.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    } | ({"HTTP_AUTHORIZATION": f"Token {token}"} if token else {})
    found: list[Any] = []
    answer = application(environ, lambda status, headers, *_: found.extend((status, headers)))
    content = b"".join(answer)
    answer.close()
    return found[0], found[1], content


@contextmanager
def tokens(n_users: int) -> Iterator[tuple[str, dict[int, str]]]:
    """Yields the token of a service, and those of the first raters, keyed by user id."""
    models, auth = import_module("catalog.models"), import_module("django.contrib.auth.models")
    count = import_module("django.db.models").Count
    raters = models.User.objects.annotate(n=count("ratings")).filter(n__gt=0).order_by("pk")
    service = models.User.objects.create_user(username=f"benchmark-{secrets.token_hex(6)}")
    service.user_permissions.add(auth.Permission.objects.get(codename="recommend_for_others"))
    made = {user.pk: _new_token(user) for user in [service, *raters[:n_users]]}
    keys = {user: token.key for user, token in made.items()}
    try:
        yield keys.pop(service.pk), keys
    finally:
        for token in made.values():
            getattr(token, "row", token).delete()
        service.delete()


def _new_token(user: Any) -> Any:
    """Creates a token. Checkouts from before API keys have one token per user."""
    if find_spec("catalog.keys"):
        keys = import_module("catalog.keys")
        return keys.create_key(user=user, name="benchmark", scopes=keys.scopes_for(user))
    return import_module("rest_framework.authtoken.models").Token.objects.create(user=user)


def compared(service: str, users: dict[int, str]) -> Iterator[Call]:
    """Returns requests of each kind, including some that are refused."""
    for place, (user, own) in enumerate(islice(users.items(), N_COMPARED)):
        wanted = {"user_id": user, "num_recommendations": 10 + place}
        yield "POST", "/api/v1/recommend", service, wanted
        yield "POST", "/api/v1/recommend", service, wanted | {"include_new_movies": True}
        yield "POST", "/api/v1/recommend_new_movies", service, wanted
        yield "GET", "/api/v1/recommendations/", own, None
        yield "GET", f"/api/v1/recommendations/?k=20&genre=drama&include_new=true&adventure={place / 15:.1f}", own, None
        yield "GET", f"/api/v1/recommendations/?k=1&explain=true&exclude={user},1,2", own, None
        yield "GET", "/api/v1/recommendations/new/?k=5", own, None
        yield "GET", f"/api/v1/movies/{place + 1}/similar/?k=12", own, None
        yield "GET", f"/api/v1/movies/{place + 1}/similar/?k=12", "", None
    some = next(iter(users))
    yield "POST", "/api/v1/recommend", users[some], {"user_id": some}
    yield "POST", "/api/v1/recommend", "", {"user_id": some}
    yield "POST", "/api/v1/recommend", "0" * 40, {"user_id": some}
    yield "POST", "/api/v1/recommend", service, {"user_id": 10**12}
    for body in ({"user_id": "1"}, {"user_id": 0}, {"user_id": some, "num_recommendations": 101}, {}):
        yield "POST", "/api/v1/recommend", service, body
    yield "GET", "/api/v1/recommend", service, None
    yield "GET", "/api/v1/movies/999999999/similar/", "", None
    yield "GET", "/api/v1/recommendations/?k=0", users[some], None


def timed(service: str, users: dict[int, str]) -> dict[str, list[Call]]:
    """Returns the requests to measure. Each is sent for all users in turn."""
    return {
        "POST recommend": [("POST", "/api/v1/recommend", service, {"user_id": user}) for user in users],
        "GET recommendations/": [("GET", "/api/v1/recommendations/", own, None) for own in users.values()],
        "POST recommend_new_movies": [
            ("POST", "/api/v1/recommend_new_movies", service, {"user_id": user}) for user in users
        ],
        "GET movies/{id}/similar/": [
            ("GET", f"/api/v1/movies/{place + 1}/similar/", own, None) for place, own in enumerate(users.values())
        ],
    }


def cost(application: Any, requests: list[Call], n_requests: int) -> dict[str, float]:
    """Returns the CPU time, including threads, and the elapsed time of one response in milliseconds."""
    for request in islice(cycle(requests), min(WARM_UP, n_requests)):
        assert call(application, request)[0] == "200 OK", request
    cpu, clock = time.process_time(), time.perf_counter()
    for request in islice(cycle(requests), n_requests):
        call(application, request)
    used = (time.process_time() - cpu, time.perf_counter() - clock)
    return {"CPU ms": 1000 * used[0] / n_requests, "clock ms": 1000 * used[1] / n_requests}


def main(out: Path, n_requests: int, profiled: str) -> None:
    with out.with_suffix(".log").open("w") as log:
        os.dup2(log.fileno(), 2)  # a line for each request
    import_module("movierec.metric_files").install()
    django.setup()
    application = import_module("movierec.wsgi").application
    import_module("recommender.serving.model_server").server.models()
    gc.freeze()
    with tokens(N_USERS) as (service, users):
        lines = []
        for request in compared(service, users):
            status, headers, body = call(application, request)
            kept = sorted((name, value) for name, value in headers if name not in VARYING)
            body = REQUEST_ID.sub(b'"request_id":""', body)
            lines.append([request[0], request[1], request[3], status, kept, body.decode()])
        requests = timed(service, users)
        if profiled:
            profile(application, requests[profiled], n_requests)
        costs = {name: cost(application, of_one, n_requests) for name, of_one in requests.items()}
    out.write_text(json.dumps({"answers": lines, "costs": costs}), encoding="utf-8")


def profile(application: Any, requests: list[Call], n_requests: int) -> None:
    cost(application, requests, WARM_UP)
    profiler = cProfile.Profile()
    profiler.enable()
    for request in islice(cycle(requests), n_requests):
        call(application, request)
    profiler.disable()
    for order in ("tottime", "cumulative"):
        pstats.Stats(profiler, stream=sys.stdout).sort_stats(order).print_stats(SHOWN)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
