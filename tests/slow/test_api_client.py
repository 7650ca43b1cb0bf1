"""Clients generated from the OpenAPI document call every operation and can parse every response."""

import importlib
import inspect
import io
import json
import os
import pkgutil
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import pytest
from drf_spectacular.generators import SchemaGenerator

from catalog.archive import EXPORTS
from catalog.imports.lifecycle import read_import
from catalog.keys import create_feeds_key
from catalog.models import Movie, User
from catalog.throttling import AddressThrottle
from mlops.registry.promotion import promote
from mlops.services import check_drift
from tests.factories import GenreFactory, UserFactory, key_of
from tests.mlops.site import make_version
from tests.processes import BIN, ROOT
from tests.slow.api_calls import of_following, of_matching

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TABLE = b"title,year,rating\nMovie 3,1983,4.5\nUnknown,1990,2\n"
PASSWORD = "correct horse battery"
PUBLIC = {"accounts_create", "token_create", "movies_list", "movies_retrieve", "movies_similar_list", "services_list"}
STAFF = ("bulk_", "drift_", "models_", "runs_")
Call = Callable[..., tuple[int, Any]]  # the status and what the client made of the answer


def generate(*command: Any) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class OpenAPIPythonClient:
    """By `openapi-python-client`, with the configuration that docs/api.md recommends."""

    def __init__(self, document, folder) -> None:
        options = ("--config", ROOT / "docs" / "openapi-python-client.yaml", "--meta", "none")
        program = BIN / "openapi-python-client"
        said = generate(program, "generate", "--path", document, *options, "--output-path", folder / "by_attrs")
        assert not re.search("Unable|Cannot|omitted", said), said  # only a warning tells of what it left out
        api = importlib.import_module("by_attrs.api")
        found = [name for _, name, _ in pkgutil.walk_packages(api.__path__, "by_attrs.api.") if name.count(".") == 3]
        self.operations = {name.rpartition(".")[2]: importlib.import_module(name).sync_detailed for name in found}
        self.models, self.of = importlib.import_module("by_attrs.models"), importlib.import_module("by_attrs.client")
        self.file = importlib.import_module("by_attrs.types").File

    def caller(self, url: str, token: str) -> Call:
        options = {"raise_on_unexpected_status": True, "timeout": None}
        client = (
            self.of.AuthenticatedClient(url, token, prefix="Token", **options)
            if token
            else self.of.Client(url, **options)
        )

        def call(name: str, **values: Any) -> tuple[int, Any]:
            hints = get_type_hints(self.operations[name])
            given = {key: self.converted(value, hints[key]) for key, value in values.items()}
            answer = self.operations[name](client=client, **given)
            return answer.status_code, answer.parsed

        return call

    def converted(self, value: Any, hint: Any) -> Any:
        kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type)]
        if isinstance(value, bytes):
            return self.file(io.BytesIO(value))
        if isinstance(value, dict):
            body = next(kind for kind in kinds if hasattr(kind, "from_dict"))
            file = {"file": self.file(io.BytesIO(value["file"]), "mine.csv")} if "file" in value else None
            return body(self.models.FormatEnum(value["format"]), **file) if file else body.from_dict(value)
        enum = next((kind for kind in kinds if issubclass(kind, Enum)), None)
        return enum(value) if enum else value


class OpenAPIGenerator:
    """By `openapi-generator`, as it is. Its clients raise ApiException for an error, with what the answer says."""

    def __init__(self, document, folder) -> None:
        program = shutil.which("openapi-generator-cli", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
        if not program or not shutil.which("java"):
            pytest.skip("openapi-generator is not installed, or there is no Java")
        generate(
            *(program, "generate", "-g", "python", "-i", document, "-o", folder),
            "--additional-properties=packageName=by_pydantic",
        )
        self.package = importlib.import_module("by_pydantic")
        self.models = self.package
        self.operations = dict(self.named(self.package.ApiClient()))

    def named(self, client: Any) -> Iterator[tuple[str, Any]]:
        for _, api in inspect.getmembers(importlib.import_module("by_pydantic.api"), inspect.isclass):
            for name, function in inspect.getmembers(api(client), inspect.ismethod):
                if name.endswith("_with_http_info"):
                    yield name.removesuffix("_with_http_info"), function

    def caller(self, url: str, token: str) -> Call:
        settings = self.package.Configuration(host=url)
        if token:
            settings.api_key, settings.api_key_prefix = {"tokenAuth": token}, {"tokenAuth": "Token"}
        operations = dict(self.named(self.package.ApiClient(settings)))

        def call(name: str, *, body: Any = None, **values: Any) -> tuple[int, Any]:
            if isinstance(body, dict) and "file" in body:
                values |= body | {"file": ("mine.csv", body["file"])}
            elif body is not None:
                hints = get_type_hints(operations[name]).items()
                kinds = [(key, kind) for key, hint in hints for kind in (hint, *get_args(hint))]
                where, kind = next((key, kind) for key, kind in kinds if key == "body" or hasattr(kind, "from_dict"))
                values[where] = kind.from_dict(body) if isinstance(body, dict) else body
            try:
                answer = operations[name](**values)
            except self.package.ApiException as error:
                return error.status, error.data
            return answer.status_code, answer.data

        return call


@pytest.fixture(scope="module", params=[OpenAPIPythonClient, OpenAPIGenerator])
def client(request, tmp_path_factory):
    """Generated once for all tests, which only call it."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield request.param(document, folder)


def lines(row: dict[str, Any]) -> dict[str, bytes]:
    return {"body": json.dumps(row).encode()}


def of_feeds(key: str) -> list[tuple[str, Any]]:
    forms = {
        "watchlist": "json rss ics",
        "recommendations": "json rss",
        "new": "json rss",
        "because_you_watched": "json",
    }
    return [(f"feeds_{name}_{form}", {"key": key}) for name, found in forms.items() for form in found.split()]


def of_people(movie: int, name: str) -> list[tuple[str, Any]]:
    """Calls in the order of a visit. A function of the answers so far takes from them."""
    found = {"movie_id": movie}
    account = {"username": f"{name}-new", "password": PASSWORD}
    movies = {"genre": "Drama", "hide_seen": "true", "ordering": "best_rated", "page_size": 5, "q": "Movie"}
    return [
        ("accounts_create", {"body": account | {"email": f"{name}@example.org"}}),
        ("token_create", {"body": account}),
        ("movies_list", movies | {"rating_min": 0.5, "year_max": 2200, "year_min": 1870}),
        ("movies_retrieve", {"id": movie}),
        ("movies_similar_list", found | {"k": 3}),
        ("services_list", {}),
        ("ratings_create", {"body": {"movie": movie, "rating": 4.5}}),
        ("ratings_update", found | {"body": {"rating": 3.0}}),
        ("ratings_list", {}),
        ("ratings_retrieve", found),
        ("watchlist_update", found),
        ("watchlist_list", {}),
        ("watchlist_retrieve", found),
        ("watchlist_destroy", found),
        *of_what_they_keep(movie, name),
        (
            "recommendations_list",
            {"k": 5, "explain": True, "include_new": True, "exclude": f"{movie}", "genre": "drama"},
        ),
        ("recommendations_new_list", {"k": 5}),
        ("feedback_create", lambda answers: {"body": {"kind": "not_interested", "movie": movie} | list_of(answers)}),
        *[("export_retrieve", {"site": site}) for site in EXPORTS],
        ("ratings_destroy", found),
    ]


def of_what_they_keep(movie: int, name: str) -> list[tuple[str, Any]]:
    def made(operation: str, **values: Any) -> Any:
        return lambda answers: {"id": getattr(answers[operation], "id", 1), **values}

    return [
        ("diary_create", {"body": {"movie": movie, "watched_on": "2026-05-31", "note": "With Ada."}}),
        ("diary_list", {}),
        ("diary_partial_update", made("diary_create", body={"watched_on": None, "is_rewatch": True})),
        ("diary_destroy", made("diary_create")),
        ("lists_create", {"body": {"name": f"Best of {name}", "is_public": True}}),
        ("lists_list", {}),
        ("lists_movies_update", made("lists_create", movie_id=movie, body={"position": 1})),
        ("lists_retrieve", made("lists_create")),
        ("lists_partial_update", made("lists_create", body={"description": "All of them."})),
        ("lists_movies_destroy", made("lists_create", movie_id=movie)),
        ("lists_destroy", made("lists_create")),
    ]


def list_of(answers: dict[str, Any]) -> dict[str, str]:
    made = getattr(answers["recommendations_list"], "request_id", None)
    return {"request_id": str(made)} if made else {}


def of_imports(movie: int) -> list[tuple[str, Any]]:
    def that(answers):
        return {"id": getattr(answers["import_create"], "id", 1)}

    def once_read(answers):
        if read := that(answers)["id"]:
            read_import(import_id=read)
        return that(answers)

    return [
        ("import_create", {"body": {"format": "csv", "file": TABLE}}),
        ("import_retrieve", that),
        ("import_entries_list", lambda answers: once_read(answers) | {"matched": False}),
        *of_matching(movie),
        ("import_list", {}),
        ("import_commit_create", that),
        ("import_destroy", that),
    ]


def of_staff(user: User, version: int) -> list[tuple[str, Any]]:
    def the_run(answers):
        return {"id": getattr(answers["runs_create"], "id", 1)}

    return [
        ("bulk_movies", lines({"external_id": "m1", "title": "Alien", "year": 1979, "genres": ["Horror"]})),
        ("bulk_users", lines({"external_id": "u1", "username": "ada"})),
        ("bulk_ratings", lines({"user": "u1", "movie": "m1", "rating": 4.5, "rated_at": "2024-05-01T20:00:00Z"})),
        ("recommend", {"body": {"user_id": user.pk, "num_recommendations": 5, "include_new_movies": True}}),
        ("recommend_batch", lines({"user_id": user.pk, "num_recommendations": 5})),
        ("recommend_new_movies", {"body": {"user_id": user.pk, "num_recommendations": 5}}),
        ("models_list", {"status": "champion"}),
        ("models_promote_create", {"version": version, "body": {"reason": "better"}}),
        ("models_retrieve", {"version": version}),
        ("models_rollback_create", {"body": {}}),
        ("runs_create", {"body": {"algorithm": "ease"}}),
        ("runs_list", {"trigger": "api"}),
        ("runs_cancel_create", the_run),
        ("runs_retrieve", the_run),
        ("drift_list", {"page": 1}),
    ]


def may(who: str, operation: str) -> bool:
    if operation in PUBLIC or who == "staff":
        return True
    return who == "user" and not operation.startswith(STAFF)


def test_every_operation_for_staff_users_and_strangers(client, rated_site, live_server):
    user, staff = User.objects.get(username="rater1"), UserFactory(is_staff=True, is_superuser=True)
    tokens = {"staff": key_of(staff), "user": key_of(user)}
    movie = Movie.objects.get(title="Movie 3")
    Movie.objects.first().genres.add(GenreFactory(name="Drama", slug="drama"))
    promote(version=make_version().pk)
    second = make_version().pk
    check_drift()
    for who in ("staff", "user", "stranger"):
        call = client.caller(live_server.url, tokens.get(who, ""))
        key = create_feeds_key(user=user).key if who != "stranger" else "mrk_unknown"
        calls = [*of_people(movie.pk, who), *of_imports(movie.pk), *of_staff(user, second), *of_feeds(key)]
        calls += of_following()
        assert {name for name, _ in calls} == client.operations.keys()
        answers: dict[str, Any] = {}
        for name, values in calls:
            status, answers[name] = call(name, **(values(answers) if callable(values) else values))
            assert (status < 400) == may(who, name), (who, name, answers[name])
            assert (answers[name] is None) == (status == 204), (who, name)
            assert isinstance(answers[name], client.models.Error) == (status >= 400), (who, name)


def test_every_kind_of_error_is_known(client, rated_site, live_server, monkeypatch):
    tokens = [key_of(UserFactory(is_superuser=staff, is_staff=staff)) for staff in (True, False)]
    staff, user, stranger = (client.caller(live_server.url, token) for token in (*tokens, ""))
    version = make_version().pk
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"sign_up": "1/hour", "token": "20/min"})
    calls: list[tuple[Call, str, dict[str, Any], int]] = [
        (staff, "models_promote_create", {"version": version, "body": {"force": True}}, 400),
        (stranger, "ratings_list", {}, 401),
        (user, "drift_list", {}, 403),
        (user, "movies_retrieve", {"id": 10**12}, 404),
        (stranger, "accounts_create", {"body": {"username": "rater1", "password": PASSWORD}}, 409),
        (stranger, "accounts_create", {"body": {"username": "rater1", "password": PASSWORD}}, 429),
        (stranger, "token_create", {"body": {"username": "rater1", "password": "x" * 3_000_000}}, 413),
    ]
    for who, name, values, expected in calls:
        status, answer = who(name, **values)
        assert (status, isinstance(answer, client.models.Error)) == (expected, True), (name, answer)
