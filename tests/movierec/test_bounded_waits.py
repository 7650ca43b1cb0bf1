"""A Postgres that hangs but keeps its connections."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg2
import pytest
from django.conf import settings
from psycopg2.extensions import set_wait_callback

from movierec import bounded_waits
from tests.processes import ROOT, environment


@pytest.fixture
def waits(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(bounded_waits, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(bounded_waits, "HUNG_SECONDS", 0.1)
    monkeypatch.setattr(bounded_waits, "_is_hung", False)
    bounded_waits.install()
    yield
    set_wait_callback(None)


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of a server whose kernel accepts connections while it answers nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"postgres://ada@127.0.0.1:{server.getsockname()[1]}/movies?sslmode=disable"


def test_a_hung_server_is_waited_for_in_vain_once(waits, hung):
    """The first wait is long enough for a slow query, the next ones are short."""
    for at_least, at_most in ((0.4, 5.0), (0.05, 0.4)):
        began = time.monotonic()
        with pytest.raises(psycopg2.OperationalError, match="did not answer"):
            psycopg2.connect(hung)
        assert at_least <= time.monotonic() - began < at_most


@pytest.mark.services
def test_a_query_that_takes_too_long_ends_its_connection_alone(waits):
    url = environment()["DATABASE_URL"] or pytest.skip("takes Postgres")
    slow, other = psycopg2.connect(url), psycopg2.connect(url)

    with pytest.raises(psycopg2.OperationalError):
        slow.cursor().execute("SELECT pg_sleep(5)")
    assert slow.closed
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert (cursor.fetchone(), bounded_waits._is_hung) == ((1,), False)
    other.close()


@pytest.mark.services
def test_web_processes_wait_like_this():
    program = (
        "from movierec.wsgi import application\n"
        "from movierec.bounded_waits import wait\n"
        "from psycopg2.extensions import get_wait_callback\n"
        "assert get_wait_callback() is wait\n"
    )
    if settings.EMBEDDED:
        pytest.skip("takes Postgres")
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment(), check=True)
