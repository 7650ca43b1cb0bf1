"""Work during which the connection is lost."""

import pytest
from django.db import OperationalError, connection, transaction

from catalog.jobs.connection import reconnecting
from catalog.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lost_connection_is_made_again():
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        cut_connections()
    else:
        connection.connection = None  # a file's connection cannot be cut, only be gone

    assert reconnecting(Job.objects.count) == 0


def cut_connections() -> None:
    """As an administrator or a failing server does."""
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    with pytest.raises(OperationalError):
        Job.objects.count()


def test_trouble_that_passes_is_outlived():
    troubles = [OperationalError("database is locked"), OperationalError("server closed the connection")]

    def work() -> str:
        if troubles:
            raise troubles.pop()
        return "done"

    assert reconnecting(work) == "done"


def test_patience_ends():
    def fail() -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        reconnecting(fail, patience=0.2)


def test_a_transaction_is_not_torn():
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OperationalError("away")

    with pytest.raises(OperationalError), transaction.atomic():
        reconnecting(fail)
    assert len(calls) == 1
