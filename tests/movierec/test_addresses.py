"""URLs with any password, TLS options or socket reach Django, kombu and redis-py unchanged."""

import subprocess
import time
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection
from redis import Redis

from movierec import checks
from movierec import environment as env
from movierec.addresses import celery_broker, redis_database
from tests.processes import free_port

SIGNS = "/?#@:%+&= é"


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
        patch.setenv("REDIS_URL", f"redis://:{quote(password, safe='/?#@:')}@cache.example:7000/0")
        address = env.redis("REDIS_URL")

    cache = Redis.from_url(redis_database(address, 1)).connection_pool.connection_kwargs
    assert (cache["host"], cache["port"], cache["db"]) == ("cache.example", 7000, 1)
    assert (cache.get("password") or "") == password
    broker = Connection(celery_broker(address))
    assert (broker.hostname, broker.port, broker.password or "") == ("cache.example", 7000, password)


def test_a_socket_of_postgres(monkeypatch):
    for port, address in {"": "%2Frun%2FPostgres", "5433": "%2Frun%2FPostgres:5433"}.items():
        monkeypatch.setenv("DATABASE_URL", f"postgres://ada@{address}/movies")
        found = env.postgres("DATABASE_URL")

        assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/Postgres", port, "movies")


def test_a_user_may_have_an_at_sign_and_a_mail_password_any_sign(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://ada@movies:p@db.example/movies")
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://ada@example.org:p/w?#@:s@mail.example:587")
    found, mail = env.postgres("DATABASE_URL"), env.mail("EMAIL_URL")

    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("ada@movies", "p", "db.example")
    assert (mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]) == ("ada@example.org", "p/w?#@:s")
    assert (mail["EMAIL_HOST"], mail["EMAIL_PORT"], mail["EMAIL_USE_TLS"]) == ("mail.example", 587, True)


def test_a_bad_mail_server_is_named_without_the_secret(monkeypatch):
    for address in ("smtp://ada:hunter2@host:x", "smtp://ada:hunter2/x@", "post://ada:hunter2@host:25"):
        monkeypatch.setenv("EMAIL_URL", address)
        with pytest.raises(ImproperlyConfigured, match="EMAIL_URL: expected") as error:
            env.mail("EMAIL_URL")
        assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("redis://:hunter2@host:70000/0", "'host:70000'"),
        ("redis://:hunter2@host:x/0", "'host:x'"),
        ("redis://:hunter2@[::1/0", "'[::1'"),
        ("http://:hunter2@host/0", "redis://host:6379/0"),
        ("redis:/:hunter2@host", "redis://host:6379/0"),
        ("redis://:hunter2@host/movies", "number of its database"),
        ("redis://:hunter2@host/0?db=3", "number of its database"),
        ("unix://:hunter2@/run/redis.sock?db=x", "unix:///folder/file?db=0"),
    ],
)
def test_what_cannot_be_parsed_is_named_without_the_secret(monkeypatch, address, named):
    monkeypatch.setenv("REDIS_URL", address)

    with pytest.raises(ImproperlyConfigured) as error:
        env.redis("REDIS_URL")

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
    url = env.redis("REDIS_URL")
    with override_settings(REDIS_URL=url, COUNTER_URL=redis_database(url, 1)):
        messages = [message.msg for message in checks.redis_answers(None)]
    if not messages:
        with Connection(celery_broker(url)) as broker:
            broker.default_channel.client.ping()
    return messages


def test_a_redis_with_tls_and_by_socket_answers_every_client(monkeypatch, tls_redis):
    port, socket = tls_redis

    assert answers(monkeypatch, f"rediss://:p/?#@@127.0.0.1:{port}/0?ssl_cert_reqs=none") == []
    assert answers(monkeypatch, f"unix://:p/?#@@{socket}?db=0") == []


def test_a_socket_without_a_password(monkeypatch):
    """As .env.example writes it; each client gets the path and its database."""
    for query, database in {"": "0", "?db=3": "3"}.items():
        monkeypatch.setenv("REDIS_URL", f"unix:///run/redis/redis.sock{query}")
        address = env.redis("REDIS_URL")

        counter = Redis.from_url(redis_database(address, 1)).connection_pool.connection_kwargs
        assert (counter["path"], counter["db"]) == ("/run/redis/redis.sock", 1)
        assert celery_broker(address) == f"redis+socket:///run/redis/redis.sock?virtual_host={database}"


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
