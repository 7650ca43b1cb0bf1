"""Test users, a database for this run, and settings that make tests faster without changing behaviour."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.servers.basehttp import WSGIServer
from django.db import connection
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from catalog import counter
from catalog.jobs import messages
from catalog.site_settings import Values, followed
from mlops.registry.mlflow_client import EXPERIMENT
from movierec.api_keys import uses
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from recommender.serving.movies import listed_movies
from recommender.serving.stats import serving_stats
from tests.audit_trail import let_flush_pass
from tests.environment import RUN_ID
from tests.factories import MovieFactory, RatingFactory, UserFactory

COUNTER_URL = django_settings.COUNTER_URL

# Benchmarks measure speed. Tests tolerate a busy machine, and pytest-timeout ends those that hang.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")
messages.WAIT_SECONDS = 30  # timeout for the broker
WSGIServer.request_queue_size = 128  # of the live server, which resets further connections; up to 32 connect at once


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no core waits for one at the end.

    Tests that need Redis are deselected in an embedded run. Tests that use no database, cache or broker are deselected
    in a run on Postgres and Redis, where they would only be repeated.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    on_services = bool(django_settings.REDIS_URL)
    belongs = _asks_services if on_services else _needs_no_redis
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if belongs(item) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def _needs_no_redis(item: pytest.Item) -> bool:
    return item.get_closest_marker("services") is None


def _asks_services(item: pytest.Item) -> bool:
    if item.get_closest_marker("once"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = any(item.get_closest_marker(name) for name in ("django_db", "services", "cache"))
    return marked or not fixtures.isdisjoint({"db", "transactional_db", "live_server"})


def pytest_sessionfinish() -> None:
    """Remove this run's keys from Redis, both broker and cache."""
    if not django_settings.REDIS_URL:
        return
    for url in (django_settings.REDIS_URL, COUNTER_URL):
        _delete_keys(url)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Use a test database below VAR_DIR, so that worker processes see it, or one named after this run."""
    database = django_settings.DATABASES["default"]
    suffix = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if django_settings.EMBEDDED:
        name = str(Path(django_settings.VAR_DIR) / "db.sqlite3")
    else:
        name = f"test_movierec_{RUN_ID}_{suffix}"
    database.setdefault("TEST", {})["NAME"] = name


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """On Postgres, do not wait for the disk."""
    let_flush_pass()
    if connection.vendor != "postgresql":
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()


@pytest.fixture(autouse=True)
def _plain_settings(settings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    _reset_counter()
    _empty_queues()
    yield
    _reset_counter()


def _reset_counter() -> None:
    file = Path(django_settings.VAR_DIR) / counter.FILE
    if file.exists():
        with sqlite3.connect(file, timeout=20) as rows:
            rows.execute(f"DELETE FROM {counter.TABLE}")
        rows.close()
    _delete_keys(COUNTER_URL)
    counter._in_memory.clear()  # from an earlier test without a database
    counter._database_paused_until = 0.0


def _delete_keys(url: str) -> None:
    """Delete only this run's keys from Redis, which other sites may use."""
    if not url:
        return
    with redis.Redis.from_url(url) as client:
        if keys := list(client.scan_iter(f"{django_settings.REDIS_PREFIX}:*", count=1000)):
            client.delete(*keys)


def _empty_queues() -> None:
    """Empty the queues, so that a worker does not have to process messages of earlier tests."""
    transport = django_settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if "global_keyprefix" not in transport:
        for message in Path(transport["data_folder_in"]).glob("*.msg"):
            message.unlink(missing_ok=True)
        return
    names = ("default", "training", "unacked", "unacked_index")  # not the bindings, which this process has in memory
    with redis.Redis.from_url(django_settings.CELERY_BROKER_URL) as broker:
        broker.delete(*(transport["global_keyprefix"] + name for name in names))


@pytest.fixture(autouse=True)
def _language_of_the_site() -> None:
    """Forget the language of earlier tests' requests."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _process_of_its_own(request, monkeypatch) -> Iterator[None]:
    """Reset models, lists and logged lines of earlier tests. Starts no threads unless the test uses `threads`."""
    monkeypatch.setattr("recommender.logs._logged_at", {})
    cache.clear()
    followed.hold(Values())  # until a test changes the row
    if "threads" not in request.fixturenames:
        monkeypatch.setattr("recommender.serving.periodic.PeriodicThread.ensure_started", lambda self: None)
    _stop_threads()  # a browser request that outlived its test may start them again
    for state in (server.reset, listed_movies.clear, impressions.clear, serving_stats.clear, uses.clear):
        state()
    yield
    for state in (server.reset, listed_movies.clear, impressions.clear, serving_stats.clear, uses.clear):
        state()


@pytest.fixture
def threads() -> Iterator[None]:
    """The background threads of a web process. They only see committed data, so use `transaction=True`."""
    yield
    _stop_threads()


def _stop_threads() -> None:
    for thread in (server.thread, listed_movies.thread, impressions.thread, serving_stats.thread, uses.thread):
        thread.stop()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """MLflow's tables without rows. Copying them is much faster than creating them."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory, empty_store) -> str:
    """One store for all tests. Files of its experiment are next to it, even if a test's child process logs first."""
    file = Path(shutil.copy(empty_store, tmp_path_factory.mktemp("mlflow") / "mlflow.db"))
    mlflow.MlflowClient(f"sqlite:///{file}").create_experiment(EXPERIMENT, (file.parent / "artifacts").as_uri())
    return f"sqlite:///{file}"


@pytest.fixture
def alice(db):
    """A user with many ratings."""
    user = UserFactory(username="alice")
    for movie, rating in zip(MovieFactory.create_batch(10), [5, 4.5, 4, 5, 3, 2, 4, 0.5, 3.5, 5], strict=True):
        RatingFactory(user=user, movie=movie, rating=rating)
    return user


@pytest.fixture
def bob(db):
    """A user with two ratings."""
    user = UserFactory(username="bob")
    RatingFactory.create_batch(2, user=user)
    return user


@pytest.fixture
def nora(db):
    """A user without ratings."""
    return UserFactory(username="nora")


@pytest.fixture
def sam(db):
    """A superuser."""
    return UserFactory(username="sam", is_staff=True, is_superuser=True)


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def change_policy(settings) -> Callable[..., None]:
    """Changes keys of the named section of the policy."""

    def change(section: str, **values: Any) -> None:
        changed = getattr(settings.POLICY, section).model_copy(update=values)
        settings.POLICY = settings.POLICY.model_copy(update={section: changed})

    return change
