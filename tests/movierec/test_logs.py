"""Log lines: their format, their ids, and what they must not contain."""

import json
import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery.signals import after_task_publish
from structlog.contextvars import bound_contextvars, clear_contextvars, get_contextvars

from catalog.jobs.messages import send
from catalog.jobs.queue import claim
from catalog.models.api_key import new_key
from catalog.models.hook import new_secret
from catalog.tasks import refresh_popularity
from mlops.models import PipelineRun
from movierec import logs
from movierec.redaction import HIDDEN, never_show, redact
from tests.processes import ROOT, environment, running, site, wait_for


def line(record: logging.LogRecord, form: str) -> str:
    options = dict(logs.configure(form=form, level="INFO")["formatters"]["line"])
    return options.pop("()")(**options).format(record)


def record_of(message: str = "trained", **changes: object) -> logging.LogRecord:
    fields = {"name": "mlops.training", "levelno": logging.INFO, "levelname": "INFO", "msg": message} | changes
    return logging.makeLogRecord(fields)


def lines_in(file: Path) -> list[dict[str, object]]:
    """All of them, each an object of JSON."""
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]


def test_json_holds_message_time_and_ids():
    with bound_contextvars(request_id="abcdefghij", task="mlops.train_model", run="training", run_id=7):
        found = json.loads(line(record_of("%s movies", args=(3,)), "json"))

    assert datetime.fromisoformat(found.pop("timestamp")).utcoffset().total_seconds() == 0
    assert found == {
        "level": "info",
        "logger": "mlops.training",
        "message": "3 movies",
        "request_id": "abcdefghij",
        "task": "mlops.train_model",
        "run": "training",
        "run_id": 7,
    }


def test_text_holds_short_ids():
    with bound_contextvars(request_id="abcdefghij", run="training", run_id=7):
        assert line(record_of(), "text").endswith(
            " INFO mlops.training: trained [request_id=abcdefgh run=training run_id=7]"
        )


@pytest.mark.parametrize("form", logs.FORMATS)
def test_an_exception_is_part_of_its_line(form):
    try:
        raise ValueError("boom")
    except ValueError:
        text = line(record_of(exc_info=sys.exc_info()), form)

    exception = json.loads(text)["exception"] if form == "json" else text.partition("\n")[2]
    assert exception.startswith("Traceback") and exception.endswith("ValueError: boom")


def test_celery_lines_about_a_task_name_it():
    """The worker's main process writes them, where no task runs."""
    about = {"id": "1-2-3", "name": "mlops.prune", "args": "()"}
    found = json.loads(line(record_of("Task %(name)s[%(id)s] received", args=about, data=about), "json"))

    assert (found["task"], found["task_id"]) == ("mlops.prune", "1-2-3")
    assert "args" not in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://me:p%40ss@db/x is away", f"postgres://me:{HIDDEN}@db/x is away"),
        ("redis://:secretword@redis:6379/0", f"redis://:{HIDDEN}@redis:6379/0"),
        ("GET /x?page=2&token=abc&k=3", f"GET /x?page=2&token={HIDDEN}&k=3"),
        ("GET /x?key=abc", f"GET /x?key={HIDDEN}"),
        ("{'Authorization': 'Token 0123'}", f"{{'Authorization': '{HIDDEN}'}}"),
        (r"{\"password\": \"a b\"}", rf"{{\"password\": \"{HIDDEN}\"}}"),
        ("sent Bearer abc.def-1", f"sent Bearer {HIDDEN}"),
        (f"Token {'0a' * 20}", f"Token {HIDDEN}"),
        ("host=db password=hunter2 user=me", f"host=db password={HIDDEN} user=me"),
        ("AWS_SECRET_ACCESS_KEY=ab/cd+e", f"AWS_SECRET_ACCESS_KEY={HIDDEN}"),
        ('{"secret_key": "ab cd", "X-Api-Key": "ef"}', f'{{"secret_key": "{HIDDEN}", "X-Api-Key": "{HIDDEN}"}}'),
        ("AGE-SECRET-KEY-1QQPQQ", f"AGE-SECRET-KEY-1{HIDDEN}"),
        ("METRICS_TOKEN is not set", "METRICS_TOKEN is not set"),
        ("expected a token of 40 signs", "expected a token of 40 signs"),
        ("the basic idea", "the basic idea"),
        ("http://127.0.0.1:8000/movies/ answers", "http://127.0.0.1:8000/movies/ answers"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, shown):
    assert redact(text) == shown


def test_an_api_key_is_hidden_wherever_it_stands():
    key = new_key()

    assert [redact(text.format(key)) for text in ("Token {}", "Bearer {}", "create_token printed {}, once")] == [
        f"Token mrk_{HIDDEN}",
        f"Bearer {HIDDEN}",
        f"create_token printed mrk_{HIDDEN}, once",
    ]


def test_a_secret_address_is_hidden_wherever_it_stands():
    secret = new_secret()

    assert redact(f"POST /api/v1/hooks/plex/{secret} 404") == f"POST /api/v1/hooks/plex/mrh_{HIDDEN} 404"


@pytest.mark.timeout(20)
def test_a_long_line_takes_time_in_proportion():
    assert redact("secret" * 50_000) == "secret" * 50_000


def test_known_secrets_are_hidden_in_any_form():
    never_show("pass/word with sign")

    assert redact("a pass/word with sign b pass%2Fword%20with%20sign") == f"a {HIDDEN} b {HIDDEN}"


@pytest.mark.parametrize("sent", ["", "short", "a" * 65, "abc defgh", "abc<script>", "ümlaut-ümlaut", "a\tbcdefgh"])
def test_a_malformed_request_id_is_replaced(client, sent):
    answered = client.get("/api/v1/nope/", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", answered)


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/healthz", "testserver", 200),
        ("/nothing/", "testserver", 404),
        ("/api/v1/nope/", "testserver", 404),
        ("/api/v1/ratings/", "testserver", 401),
        ("/movies/", "elsewhere", 400),
        ("/movies/", "testserver", 500),
    ],
)
def test_every_answer_has_the_request_id(db, client, monkeypatch, path, host, status):
    client.raise_request_exception = False
    if status == 500:
        monkeypatch.setattr("catalog.views.movies.render", lambda *args: 1 / 0)
    answer = client.get(path, headers={"X-Request-ID": "from-a-proxy.1", "Host": host})

    assert (answer.status_code, answer["X-Request-ID"]) == (status, "from-a-proxy.1")
    assert "request_id" not in get_contextvars()


def test_paths_are_shown_without_words_of_visitors(db, client, caplog):
    caplog.set_level(logging.INFO, "movierec.access")
    client.get("/genres/some-words/", {"q": "anna"})
    client.get("/movies/77-a-title/")
    client.get("/admin/mlops/alert/3/change/")

    assert [record.getMessage() for record in caplog.records] == [
        "GET /genres/<slug>/ 404",
        "GET /movies/77-<slug>/ 404",
        "GET /admin/mlops/alert/3/change/ 302",
    ]


def test_a_task_has_its_ids_and_leaves_none(db, monkeypatch):
    clear_contextvars()  # of earlier tests' runs
    seen = []
    monkeypatch.setattr("catalog.tasks.popularity.refresh_popularity", lambda: seen.append(get_contextvars()) or 0)

    with bound_contextvars(run_id=7):
        refresh_popularity.apply(task_id="1-2-3")
        assert get_contextvars() == {"run_id": 7}

    assert seen == [{"run_id": 7, "task": "catalog.refresh_popularity", "task_id": "1-2-3"}]


@pytest.mark.cache
def test_a_message_carries_the_request_id():
    headers = []

    def note(sender: str, **event: Any) -> None:
        headers.append(event["headers"].get("request_id"))

    after_task_publish.connect(note)
    try:
        with bound_contextvars(request_id="abcdefgh"):
            assert send("catalog.requeue_stale", queue="default")
        assert send("catalog.requeue_stale", queue="default")
    finally:
        after_task_publish.disconnect(note)

    assert headers == ["abcdefgh", None]


def test_a_claimed_run_is_named_in_each_line(db):
    run = PipelineRun.objects.create(trigger="api")
    with bound_contextvars(run=None, run_id=None):
        claim(run)
        assert get_contextvars() == {"run": "training", "run_id": run.pk}


def test_gunicorn_writes_json_with_the_ids_of_each_request(transactional_db, tmp_path):
    """Many at once on the same threads: no line has another request's id. What was sent as a secret is not there."""
    log, numbers = tmp_path / "web.log", range(1, 41)
    planted = {"METRICS_TOKEN": "planted-metrics-token", "SECRET_KEY": "planted-secret-key"}

    with site(log=log, workers=1, LOG_FORMAT="json", **planted) as address, httpx.Client(base_url=address) as browser:

        def ask(number: int) -> str:
            headers = {"X-Request-ID": f"request-{number}", "Authorization": "Token planted-token-of-a-user"}
            query = f"?token=planted-in-query&number={number}"
            return browser.get(f"/api/v1/movies/{number}/{query}", headers=headers).headers["X-Request-ID"]

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, numbers)) == [f"request-{number}" for number in numbers]
        browser.get("/metrics", auth=("planted-user", "planted-password"))
        browser.get("/metrics", headers={"Authorization": f"Bearer {planted['METRICS_TOKEN']}"})
        found = {row.get("request_id"): row for row in lines_in(log) if row["logger"] == "movierec.access"}

    assert {found[f"request-{number}"]["path"] for number in numbers} == {f"/api/v1/movies/{n}/" for n in numbers}
    assert {row["status"] for row in found.values()} == {401}
    assert any(row["message"].startswith("Booting worker") for row in lines_in(log))
    assert "planted" not in log.read_text(encoding="utf-8")


def test_secrets_of_the_settings_are_known(tmp_path):
    secrets = {
        "SECRET_KEY": "planted-key",
        "METRICS_TOKEN": "planted-token",
        "TMDB_READ_TOKEN": "planted-read-token",
        "ALERT_WEBHOOK_URL": "https://chat.example.org/planted",
        "FLOWER_BASIC_AUTH": "planted:password",
    }
    show = "from movierec import redaction, settings"
    show += "".join(f"; print(redaction.redact(settings.{name}))" for name in secrets)
    done = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT,
        env=environment(VAR_DIR=str(tmp_path), **secrets),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [HIDDEN] * len(secrets)


WARNING = "import warnings, django; django.setup(); warnings.warn('old')"


def test_warnings_are_lines_of_the_log(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WARNING],
        cwd=ROOT,
        env=environment(VAR_DIR=str(tmp_path), LOG_FORMAT="json", DJANGO_SETTINGS_MODULE="movierec.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "UserWarning: old" in json.loads(done.stderr)["message"]


@pytest.mark.parametrize("service", [("worker", "--concurrency", "1", "--pool", "prefork"), ("beat", "--pidfile=")])
def test_celery_writes_nothing_but_json(transactional_db, tmp_path, service):
    """From its start to its end."""
    log = tmp_path / "celery.log"
    command = ("celery", "--quiet", "--app", "movierec", *service, "--loglevel", "INFO")
    with running(*command, log=log, LOG_FORMAT="json", is_killed=False):
        is_up = {"worker": "ready.", "beat": "beat: Starting"}[service[0]]
        wait_for(lambda: is_up in log.read_text(encoding="utf-8"), seconds=120, what=f"{service[0]} runs")

    messages = [row["message"] for row in lines_in(log)]
    assert service[0] == "beat" or "worker: Warm shutdown (MainProcess)" in messages
