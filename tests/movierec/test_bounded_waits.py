"""A Postgres that hangs but keeps its connections."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from psycopg2.extensions import set_wait_callback

from catalog.imports.lifecycle import read_import
from catalog.models import Rating
from movierec import bounded_waits
from tests.catalog.imports.site_files import RATINGS, table
from tests.catalog.ingest.test_bulk_api import ADA, ALIEN, HERS, counts, post
from tests.catalog.test_api_imports import ADDRESS, upload
from tests.factories import UserFactory, api_client_of
from tests.processes import ROOT, environment


@pytest.fixture
def waits(monkeypatch) -> Iterator[None]:
    """As in web processes, but long enough for a busy machine."""
    monkeypatch.setattr(bounded_waits, "WAIT_SECONDS", 120.0)
    monkeypatch.setattr(bounded_waits, "HUNG_SECONDS", 60.0)
    monkeypatch.setattr(bounded_waits, "_is_hung", False)
    bounded_waits.install()
    yield
    set_wait_callback(None)
    request_finished.send(sender=None)
    request_started.disconnect(dispatch_uid="bounded_waits")
    request_finished.disconnect(dispatch_uid="bounded_waits")


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of a server whose kernel accepts connections while it answers nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"postgres://ada@127.0.0.1:{server.getsockname()[1]}/movies?sslmode=disable"


def test_a_hung_server_is_waited_for_in_vain_once(waits, hung, monkeypatch):
    """The first wait is long enough for a slow query, those of later requests are short, a request's others shorter."""
    for name, seconds in (("WAIT", 0.4), ("HUNG", 0.3), ("AGAIN", 0.1)):
        monkeypatch.setattr(bounded_waits, f"{name}_SECONDS", seconds)
    for request in (("0.4", "0.1", "0.1"), ("0.3", "0.1")):
        request_started.send(sender=None)
        for seconds in request:
            with pytest.raises(psycopg2.OperationalError, match=f"did not answer within {seconds} s"):
                psycopg2.connect(hung)


def test_a_thread_without_requests_does_not_lose_its_patience(waits, hung, monkeypatch):
    """It connects anew each time, which may take long beside a busy or distant server."""
    for name, seconds in (("WAIT", 0.4), ("HUNG", 0.3), ("AGAIN", 0.1)):
        monkeypatch.setattr(bounded_waits, f"{name}_SECONDS", seconds)
    request_started.send(sender=None)
    request_finished.send(sender=None)
    for seconds in ("0.4", "0.3", "0.3"):
        with pytest.raises(psycopg2.OperationalError, match=f"did not answer within {seconds} s"):
            psycopg2.connect(hung)


def test_who_has_less_patience_takes_none_from_others(waits, hung, monkeypatch):
    with bounded_waits.at_most(0.2):
        for _ in range(2):  # the second has no time left
            with pytest.raises(psycopg2.OperationalError, match="did not answer"):
                psycopg2.connect(hung)
    monkeypatch.setattr(bounded_waits, "WAIT_SECONDS", 0.3)
    request_started.send(sender=None)
    with pytest.raises(psycopg2.OperationalError, match=r"within 0\.3 s"):
        psycopg2.connect(hung)


@pytest.mark.services
def test_a_query_that_takes_too_long_ends_its_connection_alone(waits, monkeypatch):
    url = environment()["DATABASE_URL"] or pytest.skip("takes Postgres")
    slow, other = psycopg2.connect(url), psycopg2.connect(url)
    process = slow.info.backend_pid

    with monkeypatch.context() as short, pytest.raises(psycopg2.OperationalError, match=r"within 0\.1 s"):
        short.setattr(bounded_waits, "WAIT_SECONDS", 0.1)
        slow.cursor().execute("SELECT pg_sleep(600)")
    assert (slow.closed != 0, bounded_waits._is_hung) == (True, True)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [process])  # it would sleep on, in the test's database
        assert (cursor.fetchone(), bounded_waits._is_hung) == ((True,), False)
    other.close()


@pytest.mark.services
@pytest.mark.django_db
def test_what_is_sent_in_bulk_is_written(waits, nora):
    """psycopg2 refuses some statements, such as COPY, where waits are bounded."""
    operator = api_client_of(UserFactory(is_staff=True, is_superuser=True))
    for what, line in (("movies", ALIEN), ("users", ADA), ("ratings", HERS)):
        assert counts(post(operator, what, line)) == (1, 0, 0, 0)
    assert Rating.objects.get().rating == HERS["rating"]

    viewer = api_client_of(nora)
    sent = upload(viewer, table(RATINGS, ["2020-05-02", ALIEN["title"], ALIEN["year"], "", 3]))
    read_import(import_id=sent.json()["id"])
    assert viewer.post(f"{ADDRESS}{sent.json()['id']}/commit/").json()["status"] == "done"
    assert Rating.objects.get(user=nora).rating == 3


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
