"""A client generated from the OpenAPI document calls every operation: it raises nowhere and knows every answer."""

import importlib
import io
import json
import pkgutil
import re
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.authtoken.models import Token

from catalog.imports.lifecycle import read_import
from catalog.models import Movie, User
from mlops.registry.promotion import promote
from mlops.services import check_drift
from tests.factories import GenreFactory, UserFactory
from tests.mlops.site import make_version
from tests.processes import BIN

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PACKAGE = "generated_client"
# The generator takes a zip for bytes only if it is told to. Lines of JSON it sends as `application/octet-stream`.
OPTIONS = {"content_type_overrides": {"application/zip": "application/octet-stream"}}
PASSWORD = "correct horse battery"
PUBLIC = {"accounts_create", "token_create", "movies_list", "movies_retrieve", "movies_similar_list"}
STAFF = ("bulk_", "drift_", "models_", "runs_", "recommend")
PERSONAL = {"recommendations_list", "recommendations_new_list"}


@pytest.fixture
def client(tmp_path, monkeypatch) -> SimpleNamespace:
    """The generated package: its models, its operations by id, and its client for an address."""
    document, options = tmp_path / "openapi.json", tmp_path / "options.json"
    document.write_text(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    options.write_text(json.dumps(OPTIONS))
    command = [BIN / "openapi-python-client", "generate", "--path", document, "--config", options, "--meta", "none"]
    done = subprocess.run(
        [*command, "--output-path", tmp_path / PACKAGE], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search("Unable|Cannot|omitted", done.stdout), done.stdout  # only a warning tells of what it left out
    for file in (tmp_path / PACKAGE / "models").glob("*.py"):  # whose `cast` is hidden by the field of a movie
        text = file.read_text().replace("from typing import cast", "from typing import cast as typing_cast")
        file.write_text(re.sub(r"\bcast\(", "typing_cast(", text))
    monkeypatch.syspath_prepend(tmp_path)
    api = importlib.import_module(f"{PACKAGE}.api")
    found = [name for _, name, _ in pkgutil.walk_packages(api.__path__, f"{PACKAGE}.api.") if name.count(".") == 3]
    return SimpleNamespace(
        operations={name.rpartition(".")[2]: importlib.import_module(name).sync_detailed for name in found},
        models=importlib.import_module(f"{PACKAGE}.models"),
        File=importlib.import_module(f"{PACKAGE}.types").File,
        of=importlib.import_module(f"{PACKAGE}.client"),
    )


def lines(client, row: dict[str, Any]) -> Any:
    return client.File(io.BytesIO(json.dumps(row).encode()))


def of_people(models, movie: int, name: str) -> list[tuple[str, Any]]:
    """Calls in the order of a visit. A function of the answers so far takes from them."""
    found = {"movie_id": movie}
    return [
        ("accounts_create", {"body": models.SignUpRequest(f"{name}-new", PASSWORD, f"{name}@example.org")}),
        ("token_create", {"body": models.CredentialsRequest(f"{name}-new", PASSWORD)}),
        (
            "movies_list",
            {
                "genre": "Drama",
                "hide_seen": models.MoviesListHideSeen.TRUE,
                "ordering": models.MoviesListOrdering.BEST_RATED,
                "page_size": 5,
                "q": "Movie",
                "rating_min": 0.5,
                "year_max": 2200,
                "year_min": 1870,
            },
        ),
        ("movies_retrieve", {"id": movie}),
        ("movies_similar_list", found | {"k": 3}),
        ("ratings_create", {"body": models.NewRatingRequest(movie=movie, rating=4.5)}),
        ("ratings_update", found | {"body": models.RatingInputRequest(3.0)}),
        ("ratings_list", {}),
        ("ratings_retrieve", found),
        ("watchlist_update", found),
        ("watchlist_list", {}),
        ("watchlist_retrieve", found),
        ("watchlist_destroy", found),
        (
            "recommendations_list",
            {"k": 5, "explain": True, "include_new": True, "exclude": f"{movie}", "genre": "drama"},
        ),
        ("recommendations_new_list", {"k": 5}),
        (
            "feedback_create",
            lambda answers: {
                "body": models.FeedbackRequest(
                    models.FeedbackKindEnum.NOT_INTERESTED,
                    movie,
                    getattr(answers["recommendations_list"], "request_id", None),
                )
            },
        ),
        *[("export_retrieve", {"site": site}) for site in models.ExportRetrieveSite],
        ("ratings_destroy", found),
    ]


def of_imports(client) -> list[tuple[str, Any]]:
    models, table = client.models, io.BytesIO(b"title,year,rating\nMovie 3,1983,4.5\nUnknown,1990,2\n")
    upload = models.UploadRequest(models.FormatEnum.CSV, client.File(table, "mine.csv", "text/csv"))

    def that(answers):
        return {"id": getattr(answers["import_create"], "id", 1)}

    def once_read(answers):
        if read := that(answers)["id"]:
            read_import(import_id=read)
        return that(answers)

    return [
        ("import_create", {"body": upload}),
        ("import_retrieve", that),
        ("import_entries_list", lambda answers: once_read(answers) | {"matched": True}),
        ("import_list", {}),
        ("import_commit_create", that),
        ("import_destroy", that),
    ]


def of_staff(client, user: User, version: int) -> list[tuple[str, Any]]:
    models = client.models
    other = {"external_id": "m1", "title": "Alien", "year": 1979, "genres": ["Horror"]}
    rating = {"user": "u1", "movie": "m1", "rating": 4.5, "rated_at": "2024-05-01T20:00:00Z"}

    def the_run(answers):
        return {"id": getattr(answers["runs_create"], "id", 1)}

    return [
        ("bulk_movies", {"body": lines(client, other)}),
        ("bulk_users", {"body": lines(client, {"external_id": "u1", "username": "ada"})}),
        ("bulk_ratings", {"body": lines(client, rating)}),
        ("recommend", {"body": models.RecommendForUserRequest(user.pk, 5, True)}),
        ("recommend_new_movies", {"body": models.ForUserRequest(user.pk, 5)}),
        ("models_list", {"status": models.ModelsListStatus.CHAMPION}),
        ("models_promote_create", {"version": version, "body": models.PromoteRequest("better")}),
        ("models_retrieve", {"version": version}),
        ("models_rollback_create", {"body": models.RollBackRequest()}),
        ("runs_create", {"body": models.StartRunRequest(models.AlgorithmEnum.EASE)}),
        ("runs_list", {"trigger": models.RunsListTrigger.API}),
        ("runs_cancel_create", the_run),
        ("runs_retrieve", the_run),
        ("drift_list", {"page": 1}),
    ]


def may(who: str, operation: str) -> bool:
    if operation in PUBLIC or who == "staff":
        return True
    return who == "user" and (operation in PERSONAL or not operation.startswith(STAFF))


def test_every_operation_for_staff_users_and_strangers(client, rated_site, live_server):
    user, staff = User.objects.get(username="rater1"), UserFactory(is_staff=True, is_superuser=True)
    tokens = {"staff": Token.objects.create(user=staff).key, "user": Token.objects.create(user=user).key}
    movie = Movie.objects.get(title="Movie 3")
    Movie.objects.first().genres.add(GenreFactory(name="Drama", slug="drama"))
    promote(version=make_version().pk)
    second = make_version().pk
    check_drift()
    for who in ("staff", "user", "stranger"):
        options = {"raise_on_unexpected_status": True, "timeout": None}
        caller = client.of.Client(live_server.url, **options)
        if who in tokens:
            caller = client.of.AuthenticatedClient(live_server.url, tokens[who], prefix="Token", **options)
        calls = [*of_people(client.models, movie.pk, who), *of_imports(client), *of_staff(client, user, second)]
        assert {name for name, _ in calls} == client.operations.keys()
        answers: dict[str, Any] = {}
        for name, values in calls:
            given = values(answers) if callable(values) else values
            answer = client.operations[name](client=caller, **given)
            answers[name] = answer.parsed
            assert (answer.status_code < 400) == may(who, name), (who, name, answer.content)
            assert (answer.parsed is None) == (answer.status_code == 204), (who, name)
            assert isinstance(answer.parsed, client.models.Error) == (answer.status_code >= 400), (who, name)
