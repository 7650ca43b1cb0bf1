"""Rate limits are exact: with concurrent attempts, on every sign-in, and for every way of counting."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connections
from rest_framework.settings import api_settings

from catalog import counter, redis_counter
from catalog.redis_counter import TIMEOUT
from catalog.throttling import SignUpThrottle
from tests.factories import UserFactory
from tests.processes import wait_for
from tests.sign_in import PLACES, REFUSED, guess, send, visitor

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
LIMIT = 20


@pytest.fixture(params=["configured", "no Redis", "dead Redis", "hung Redis"])
def _place(request, settings, monkeypatch):
    """Where requests are counted: as this run is configured, or in the database instead."""
    monkeypatch.setattr(counter, "_paused_until", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if request.param == "hung Redis" else 1
        if request.param != "configured":
            settings.COUNTER_URL = "" if request.param == "no Redis" else f"redis://127.0.0.1:{port}/0"
        yield


def count(key: str, seconds: int = 60) -> int:
    try:
        return counter.count(key, seconds=seconds)[0]
    finally:
        connections.close_all()


@pytest.mark.usefixtures("_place")
def test_no_two_requests_get_the_same_number():
    with ThreadPoolExecutor(32) as pool:
        assert sorted(pool.map(count, ["a"] * 200)) == list(range(1, 201))
    assert count("b") == 1


@pytest.mark.usefixtures("_place")
def test_several_are_counted_in_one_step():
    assert [counter.count("a", seconds=60, n=n)[0] for n in (5, 1, 3)] == [5, 6, 9]
    assert 0 < counter.count("a", seconds=60)[1] <= 60


@pytest.mark.usefixtures("_place")
def test_a_window_ends_and_the_next_one_starts_from_one():
    assert [count("a"), count("a")] == [1, 2]
    _, seconds_left = counter.count("a", seconds=60)
    assert 0 < seconds_left <= 60
    count("b", 1)
    wait_for(lambda: count("b", 1) == 1, seconds=60, what="a window of 1 s has ended")


def test_ended_windows_are_deleted(settings, monkeypatch):
    settings.COUNTER_URL = ""
    monkeypatch.setattr(counter, "CLEAN_EVERY", 1)
    count("a")
    monkeypatch.setattr(counter, "NOW", {vendor: f"({now} + 61)" for vendor, now in counter.NOW.items()})
    count("b")
    with counter.database().cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {counter.TABLE}")
        assert cursor.fetchone() == (1,)


def test_each_process_counts_while_the_database_cannot(settings, monkeypatch, caplog):
    """As on a full or read-only disk: requests with a limit are answered, and the limit holds."""
    settings.COUNTER_URL = ""
    monkeypatch.setattr(counter, "KEYS_IN_MEMORY", 3)
    monkeypatch.setattr(counter, "UPSERT", counter.UPSERT.replace("INSERT", "INSERT DISK FULL"))
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(count, ["a"] * 50)) == list(range(1, 51))
    assert 0 < counter.count("a", seconds=60)[1] <= 60
    assert [count("b"), count("b")] == [1, 2]
    with monkeypatch.context() as later:
        later.setattr(counter, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 61))
        assert count("b") == 1
    for key in "cde":
        count(key)
    assert count("a") == 1  # forgotten: memory is bounded
    assert "The database cannot count requests" in caplog.text
    monkeypatch.undo()
    counter._database_paused_until = 0.0
    assert count("a") == 1


@pytest.mark.services
def test_threads_that_have_ended_leave_room_for_others():
    for number in range(1, 151):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(redis_counter.count, "threads", 60).result()[0] == number


def test_a_forked_process_uses_no_connection_of_its_parent(monkeypatch):
    monkeypatch.setattr(redis_counter._own, "connections", {"redis://127.0.0.1:1/0": object()})
    pid = os.fork()
    if pid == 0:
        os._exit(len(redis_counter._own.connections))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert redis_counter._own.connections


def test_a_hung_redis_delays_one_request_a_little(settings, monkeypatch):
    monkeypatch.setattr(counter, "_paused_until", 0.0)
    monkeypatch.setattr(counter, "PAUSE_SECONDS", 600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.COUNTER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert [count("a") for _ in range(5)] == [1, 2, 3, 4, 5]
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # no more than one connection was tried
            silent.accept()
    assert 2 * TIMEOUT < 0.5  # to connect and to answer


@pytest.mark.usefixtures("_place")
def test_wrong_passwords_at_once_stop_at_the_limit(live_server, sam):
    with visitor(live_server.url) as client:
        statuses = guess(client, 3 * LIMIT, "sam")
        assert (statuses.total(), statuses[REFUSED]) == (3 * LIMIT, 2 * LIMIT)
        for place in PLACES:
            answer = send(client, place, "sam", PASSWORD)
            assert answer.status_code == REFUSED
            assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_an_account_is_limited_from_all_addresses_together(live_server, sam, bob, monkeypatch):
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
    with visitor(live_server.url) as client:
        statuses = guess(client, 2 * LIMIT, "sam", own_addresses=True)
        assert statuses[REFUSED] == LIMIT
        for name in ("SAM", " \uff53am"):
            assert send(client, PLACES[-1], name, PASSWORD).status_code == REFUSED
        assert send(client, PLACES[-1], "bob", PASSWORD).status_code == 200


def test_a_blocked_address_blocks_no_account(live_server, sam, monkeypatch):
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
    with visitor(live_server.url) as client:
        for number in range(LIMIT):
            send(client, PLACES[number % len(PLACES)], f"nobody-{number}", "wrong")
        guess(client, LIMIT, "sam")
        answer = send(client, PLACES[-1], "sam", PASSWORD, **{"X-Forwarded-For": "10.1.1.1"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "[2001:db8:1:2::1]:4711", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "203.0.113.7:4711", True),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unknown", "unknown:x", False),
    ],
)
def test_which_addresses_are_one_visitor(rf, monkeypatch, first, second, is_one):
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
    first, second = (
        SignUpThrottle().get_cache_key(rf.post("/", headers={"X-Forwarded-For": f"spoofed, {address}"}), None)
        for address in (first, second)
    )
    assert (first == second) is is_one


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/accounts/password/", "old_password"),
        ("/accounts/delete/", "password"),
        ("/accounts/confirm/", "password"),
    ],
)
def test_a_stolen_session_gives_no_more_guesses(client, sam, address, field):
    client.force_login(sam)
    UserFactory(username="eve")
    statuses = [client.post(address, {field: "wrong", "username": f"eve{n}"}).status_code for n in range(LIMIT + 1)]

    assert statuses == [200] * LIMIT + [REFUSED]


@pytest.mark.parametrize("body", ["[]", "7", '{"username": ["a"]}', '{"username": "\\ud800"}', "{", ""])
def test_odd_bodies_are_counted_too(api, body):
    statuses = {api.post(PLACES[-1], body, content_type="application/json").status_code for _ in range(LIMIT)}

    assert statuses == {400}
    assert api.post(PLACES[-1], body, content_type="application/json").status_code == REFUSED
