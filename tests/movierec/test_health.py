import httpx
import pytest

from recommender.services import activate
from tests.factories import RatingFactory
from tests.mlops.site import make_version
from tests.processes import free_port, site

pytestmark = pytest.mark.cache


def test_healthz_needs_no_database(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_without_a_model_is_ready_and_says_what_is_shown(client, db):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["parts"]["model"] == {"ok": True, "detail": "no model yet: popular movies are shown"}


def test_readyz_names_the_model_that_is_loaded(client, db):
    RatingFactory.create_batch(3)
    version = make_version()
    activate(version=version.pk, algorithm=version.algorithm, artifact=version.artifact)

    assert client.get("/readyz").json()["parts"]["model"] == {
        "ok": True,
        "detail": f"version {version.pk} (popularity)",
    }


def test_readyz_names_what_replaces_a_broken_model(client, db):
    activate(version=7, algorithm="ease", artifact="gone")

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["parts"]["model"]["detail"] == "version 7 is not loaded: popular movies are shown"


def test_readyz_is_not_cached(client, db):
    assert "no-store" in client.get("/readyz")["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_depend_on_no_host_name_and_no_https(client, db, settings, path):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["movies.example"], True

    answer = client.get(path, headers={"host": "10.1.2.3", "authorization": f"Bearer {settings.METRICS_TOKEN}"})

    assert answer.status_code == 200
    assert client.get("/movies/", headers={"host": "movies.example"}).status_code == 301
    assert client.get("/movies/", headers={"host": "10.1.2.3"}).status_code == 400


def test_the_port_of_probes_has_no_other_pages(client, settings):
    assert client.get("/movies/", SERVER_PORT=str(settings.HEALTH_PORT)).status_code == 404
    assert client.get("/healthz", SERVER_PORT=str(settings.HEALTH_PORT)).status_code == 200


@pytest.mark.slow
def test_without_a_database_the_site_is_alive_but_not_ready(tmp_path):
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    own = free_port()
    with site(log=tmp_path / "web.log", workers=1, DATABASE_URL=nowhere, HEALTH_PORT=str(own)) as address:
        alive, ready = httpx.get(f"{address}/healthz"), httpx.get(f"http://127.0.0.1:{own}/readyz")

    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"] == {"ok": False, "detail": "does not answer"}
    assert "nobody" not in ready.text


@pytest.mark.slow
def test_a_site_listens_on_ipv6_and_ipv4(tmp_path):
    own = free_port()
    with site(log=tmp_path / "web.log", workers=1, HOST="::", HEALTH_PORT=str(own)) as address:
        port = address.rpartition(":")[2]
        urls = [
            f"http://{host}:{at}{path}"
            for host in ("[::1]", "127.0.0.1")
            for at, path in ((port, "/healthz"), (own, "/movies/"))
        ]
        found = [httpx.get(url, timeout=60).status_code for url in urls]

    assert found == [200, 404, 200, 404]  # the port of probes is known for both, too
