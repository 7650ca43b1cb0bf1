"""Personas, a database of this run's own, and settings that make tests fast without changing what they show."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.environment import RUN_ID
from tests.factories import MovieFactory, RatingFactory, UserFactory


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database is a file below VAR_DIR (so that worker processes see it), or one named after this run."""
    database = django_settings.DATABASES["default"]
    suffix = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if django_settings.EMBEDDED:
        name = str(Path(django_settings.VAR_DIR) / "db.sqlite3")
    else:
        name = f"test_movierec_{RUN_ID}_{suffix}"
    database.setdefault("TEST", {})["NAME"] = name


@pytest.fixture(autouse=True)
def _plain_settings(settings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db):
    """Rates a lot."""
    user = UserFactory(username="alice")
    for movie, rating in zip(MovieFactory.create_batch(10), [5, 4.5, 4, 5, 3, 2, 4, 0.5, 3.5, 5], strict=True):
        RatingFactory(user=user, movie=movie, rating=rating)
    return user


@pytest.fixture
def bob(db):
    """Rated two movies."""
    user = UserFactory(username="bob")
    RatingFactory.create_batch(2, user=user)
    return user


@pytest.fixture
def nora(db):
    """New: has rated nothing."""
    return UserFactory(username="nora")


@pytest.fixture
def sam(db):
    """Staff, may do everything in the admin."""
    return UserFactory(username="sam", is_staff=True, is_superuser=True)


@pytest.fixture
def api() -> APIClient:
    return APIClient()
