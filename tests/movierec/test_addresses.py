"""Addresses are parsed: any password, TLS options and sockets reach Django, kombu and redis-py as they were written."""

import subprocess
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from redis import Redis

from movierec import checks
from movierec import environment as env
from tests.processes import free_port

SIGNS = "/?#@:%+&= é"
REDIS = {"scheme": "rediss?|unix", "expected": "redis://host:6379/0"}


@pytest.mark.parametrize("password", [f"a{sign}b" for sign in SIGNS if sign != " "] + ["p/?#@:s", "%2F", "a%40b"])
def test_a_database_password_may_hold_any_sign(monkeypatch, password):
    monkeypatch.setenv("DATABASE_URL", f"postgres://ada:{password}@db.example:5433/movies?sslmode=require")

    found = env.postgres("DATABASE_URL")

    assert found["PASSWORD"] == password.replace("%2F", "/").replace("%40", "@")
    assert (found["USER"], found["HOST"], found["PORT"], found["NAME"]) == ("ada", "db.example", 5433, "movies")
    assert found["OPTIONS"] == env.LOST_HOST | {"sslmode": "require"}


@given(st.text(SIGNS + "abc", max_size=12))
def test_a_redis_password_reaches_every_client(password):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", f"redis://:{env.quote(password, safe='/?#@:')}@cache.example:7000/0")
        address = env.url("REDIS_URL", **REDIS)

    cache = Redis.from_url(env.redis_database(address, 1)).connection_pool.connection_kwargs
    assert (cache["host"], cache["port"], cache["db"]) == ("cache.example", 7000, 1)
    assert (cache.get("password") or "") == password
    broker = Connection(env.celery_broker(address))
    assert (broker.hostname, broker.port, broker.password or "") == ("cache.example", 7000, password)


def test_a_socket_of_postgres(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://ada@%2Frun%2FPostgres/movies")
    found = env.postgres("DATABASE_URL")

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/Postgres", "", "movies")


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("redis://:hunter2@host:70000/0", "'host:70000'"),
        ("redis://:hunter2@host:x/0", "'host:x'"),
        ("redis://:hunter2@[::1/0", "'[::1'"),
        ("http://:hunter2@host/0", "redis://host:6379/0"),
        ("redis:/:hunter2@host", "redis://host:6379/0"),
    ],
)
def test_what_cannot_be_parsed_is_named_without_the_secret(monkeypatch, address, named):
    monkeypatch.setenv("REDIS_URL", address)

    with pytest.raises(ImproperlyConfigured) as error:
        env.url("REDIS_URL", **REDIS)

    assert "REDIS_URL" in str(error.value)
    assert named in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.fixture(scope="module")
def tls_redis(tmp_path_factory):
    """The port and the socket of a Redis with a self-signed certificate and the password `p/?#@`."""
    folder, port = tmp_path_factory.mktemp("r"), free_port()
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "k", "-out", "c"]
    subprocess.run(key, cwd=folder, check=True, capture_output=True)
    listens = ["--port", "0", "--tls-port", str(port), "--unixsocket", "s", "--tls-auth-clients", "no", "--save", ""]
    files = [
        "--tls-cert-file",
        "c",
        "--tls-key-file",
        "k",
        "--tls-ca-cert-file",
        "c",
        "--requirepass",
        "p/?#@",
        "--save",
        "",
    ]
    with subprocess.Popen(["redis-server", *listens, *files], cwd=folder, stdout=subprocess.DEVNULL) as process:
        while not (folder / "s").exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield port, folder / "s"
        process.terminate()


def answers(monkeypatch, address: str) -> list[str]:
    monkeypatch.setenv("REDIS_URL", address)
    url = env.url("REDIS_URL", **REDIS)
    with override_settings(REDIS_URL=url, COUNTER_URL=env.redis_database(url, 1)):
        messages = [message.msg for message in checks.redis_answers(None)]
    if not messages:
        with Connection(env.celery_broker(url)) as broker:
            broker.default_channel.client.ping()
    return messages


def test_a_redis_with_tls_and_by_socket_answers_every_client(monkeypatch, tls_redis):
    port, socket = tls_redis

    assert answers(monkeypatch, f"rediss://:p/?#@@127.0.0.1:{port}/0?ssl_cert_reqs=none") == []
    assert answers(monkeypatch, f"unix://:p/?#@@{socket}?db=0") == []


def test_what_cannot_be_reached_is_named_without_the_secret(monkeypatch, tls_redis):
    port, _ = tls_redis
    for address in (
        f"rediss://:p/?#@@127.0.0.1:{port}/0",  # the certificate is nobody's
        f"rediss://:hunter2@127.0.0.1:{port}/0?ssl_cert_reqs=none",
        f"redis://:hunter2@127.0.0.1:{port}/0",
        f"redis://:hunter2@127.0.0.1:{free_port()}/0",
        f"redis://:hunter2@127.0.0.1:{port}/0?unknown_option=1",
    ):
        messages = answers(monkeypatch, address)
        assert len(messages) == 2
        assert all(name in text for name, text in zip(("REDIS_URL: ", "CACHE_URL: "), messages, strict=True))
        assert not any("hunter2" in text or "p/?#" in text for text in messages)
