"""Postgres connections that requests share."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from movierec.postgres import base

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def own() -> Iterator[Any]:
    """A connection besides the test's, as between two requests of a thread."""
    copy = connection.copy()
    copy.settings_dict |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    for _request in range(2):  # a new connection is asked once
        ask(copy)
    yield copy
    copy.close()


def ask(own: Any) -> int:
    """A query in a new request; returns the process of Postgres that answered."""
    own.close_if_unusable_or_obsolete()
    with own.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_that_just_worked_is_not_asked_first(own):
    first = ask(own)
    with CaptureQueriesContext(own) as queries:
        assert ask(own) == first
    assert len(queries) == 1


def test_a_connection_that_the_server_ended_is_replaced(own):
    first = ask(own)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    time.sleep(0.05)
    assert ask(own) != first


def test_a_connection_is_asked_after_a_pause_or_an_error(own, monkeypatch):
    asked = []
    monkeypatch.setattr(base.base.DatabaseWrapper, "is_usable", lambda self: not asked.append(self))
    ask(own)
    assert not asked
    own.errors_occurred = True
    ask(own)
    own._usable_at -= base.FRESH_SECONDS
    ask(own)
    assert asked == [own, own]
