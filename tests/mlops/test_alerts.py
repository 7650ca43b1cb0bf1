"""Alerts: logged, e-mailed and posted once when they open and once when they close."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core import mail
from django.utils import translation

from catalog.signals import sync_ended
from mlops.findings import Finding, Outcome, title
from mlops.models import Alert
from mlops.monitoring import alerts
from mlops.monitoring.alerts import alert_on, open_alerts, page_of, send_unsent, set_alert
from mlops.monitoring.codes import AlertCode, DriftCode, StalenessCode
from recommender.serving.periodic import PeriodicThread

pytestmark = pytest.mark.django_db

DRIFT, TRAINING = AlertCode.DRIFT, AlertCode.TRAINING_FAILED


@pytest.fixture
def ops(settings):
    settings.ALERT_EMAILS = ["ops@example.org"]


def psi(figure: float) -> Finding:
    params = {"chance": 0.01, "measure": "PSI"}
    return Finding(DriftCode.GENRES, Outcome.ALERT, figure, 0.25, params=params, message="drift.psi")


def figures() -> list[list[float]]:
    return [[finding["figure"] for finding in alert.findings] for alert in open_alerts()]


def test_a_mail_links_to_the_alerts_page(ops, settings, admin_client):
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.org", "https://movies.example.org"]

    for findings in ([psi(0.3)], []):
        set_alert(DRIFT, *findings)

    links = [message.body.split("\n\n")[1] for message in mail.outbox]
    assert len(links) == 2
    for link in links:
        assert link.startswith("https://movies.example.org/admin/")
        answer = admin_client.get(link.removeprefix("https://movies.example.org"))
        assert (answer.status_code, answer.context["original"]) == (200, Alert.objects.get())


def test_alert_is_mailed_and_logged_once(ops, caplog):
    for figure in (0.3, 0.3, 0.4):
        set_alert(DRIFT, psi(figure))

    [message] = mail.outbox
    assert title(DRIFT) in message.subject
    body, link = message.body.split("\n\n")
    assert (body, message.to) == (f"{psi(0.3).title}: {psi(0.3).sentence}", ["ops@example.org"])
    assert link == page_of(Alert.objects.get())
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert figures() == [[0.4]]


@pytest.mark.wording
def test_mails_are_in_the_site_s_language(ops, settings):
    settings.SITE_LANGUAGE = "vi"
    for findings in ([psi(0.3)], []):
        set_alert(DRIFT, *findings)

    with translation.override("vi"):
        expected = title(DRIFT)
    assert all(expected in message.subject for message in mail.outbox)
    assert [message.subject.isascii() for message in mail.outbox] == [False, False]
    assert title(DRIFT) not in mail.outbox[0].subject


def test_close_is_mailed_once_and_reopening_again(ops):
    set_alert(DRIFT, psi(0.3))
    set_alert(DRIFT)
    set_alert(DRIFT)
    set_alert(DRIFT, psi(0.5))

    begins, ends, begins_again = [message.subject for message in mail.outbox]
    assert begins == begins_again != ends
    assert figures() == [[0.5]]
    assert Alert.objects.count() == 2


def test_mail_that_failed_is_sent_later(ops, monkeypatch):
    def refuse(*args):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("mlops.monitoring.alerts.send_mail", refuse)
    set_alert(DRIFT, psi(0.3))
    monkeypatch.undo()
    set_alert(DRIFT, psi(0.3))
    set_alert(DRIFT, psi(0.3))

    assert len(mail.outbox) == 1


def test_without_an_address_only_the_log_has_it(caplog):
    set_alert(DRIFT, psi(0.3))

    assert f"alert: drift: {open_alerts()[0].message}" in caplog.text
    assert mail.outbox == []


def test_alerts_close_only_by_their_own_code(ops):
    set_alert(DRIFT, psi(0.3))
    set_alert(TRAINING)

    assert [alert.code for alert in open_alerts()] == [DRIFT]


def test_alert_follows_the_outcome_of_its_check():
    code = StalenessCode.SCHEDULER
    alert_on(Finding(code, Outcome.ALERT))
    assert [alert.code for alert in open_alerts()] == [code]

    alert_on(Finding(code, Outcome.OK))
    assert open_alerts() == []


def test_providers_have_alerts_of_their_own():
    for source, stopped_by in (("tmdb", "no answer"), ("movielens", "bad zip"), ("movielens", "")):
        sync_ended.send(sender=None, source=source, stopped_by=stopped_by)

    [alert] = open_alerts()
    assert (alert.code, alert.subject) == (AlertCode.SYNC_FAILED, "tmdb")
    assert alert.findings[0]["params"] == {"provider": "TMDB", "error": "no answer"}
    assert "TMDB" in alert.title


def test_alert_of_an_unknown_code_is_still_shown():
    """A later version may have written the row."""
    alert = Alert.objects.create(code="later", findings=[Finding("later.check", Outcome.ALERT).to_dict()])

    assert (alert.title, alert.message) == ("later", "later.check: later.check")


class Webhook(ThreadingHTTPServer):
    """A chat program on loopback: keeps what it is told, and answers with `status` after `seconds`."""

    status, seconds = 200, 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WebhookAnswer)
        self.told: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str | None]] = []


class WebhookAnswer(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.server.seconds)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def webhook(settings) -> Iterator[Webhook]:
    with Webhook() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.ALERT_WEBHOOK_URL = f"http://user:pass@127.0.0.1:{server.server_port}/hooks/secret?thread=1"
        yield server
        server.shutdown()


def test_the_webhook_gets_each_beginning_and_end_once(webhook):
    for findings in ([psi(0.3)], [psi(0.4)], [], []):
        set_alert(DRIFT, *findings)

    alert = Alert.objects.get()
    begins, ends = webhook.told
    headings = [told["text"].splitlines()[0] for told in (begins, ends)]
    assert all(alert.title in heading for heading in headings) and headings[0] != headings[1]
    assert begins["text"].splitlines()[1:] == [begins["message"], page_of(alert)]
    assert begins["message"] == f"{psi(0.3).title}: {psi(0.3).sentence}"
    assert (
        begins | ends
        == ends
        == {
            "text": ends["text"],
            "status": "resolved",
            "code": "drift",
            "subject": "",
            "title": alert.title,
            "message": alert.message,
            "opened_at": alert.opened_at.isoformat(),
            "closed_at": alert.closed_at.isoformat(),
            "url": page_of(alert),
        }
    )
    assert (begins["status"], begins["closed_at"]) == ("open", None)
    assert webhook.asked == [("/hooks/secret?thread=1", "Basic dXNlcjpwYXNz")] * 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refused_post_is_sent_later_without_another_mail(ops, webhook, caplog, status):
    webhook.status = status
    set_alert(DRIFT, psi(0.3))
    set_alert(DRIFT, psi(0.3))
    assert f"could not be posted to ALERT_WEBHOOK_URL: it answered {status}" in caplog.text
    webhook.status = 204
    send_unsent()
    send_unsent()

    assert [told["status"] for told in webhook.told] == ["open"] * 3
    assert len(mail.outbox) == 1
    assert [alert.code for alert in open_alerts()] == [DRIFT]


def test_a_webhook_that_hangs_costs_bounded_time(webhook, monkeypatch, caplog):
    monkeypatch.setattr(alerts, "WEBHOOK_SECONDS", 0.2)
    webhook.seconds = 2.0
    began = time.monotonic()
    set_alert(DRIFT, psi(0.3))

    assert time.monotonic() - began < 1.5
    assert "TimeoutError" in caplog.text


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/secret", "http://no.such.host.invalid/secret", "http:///secret"]
)
def test_the_address_of_the_webhook_is_not_logged(settings, address, caplog):
    settings.ALERT_WEBHOOK_URL = address
    set_alert(DRIFT, psi(0.3))

    assert "could not be posted to ALERT_WEBHOOK_URL" in caplog.text
    assert "secret" not in caplog.text


def test_mail_that_failed_is_sent_by_the_next_check_of_all(ops, monkeypatch):
    monkeypatch.setattr("mlops.monitoring.alerts.send_mail", lambda *args: 1 / 0)
    set_alert(DRIFT, psi(0.3))
    monkeypatch.undo()
    send_unsent()
    send_unsent()

    assert len(mail.outbox) == 1


def test_mail_that_the_end_of_a_task_cut_short_is_sent_later(ops, monkeypatch):
    def end(*args):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("mlops.monitoring.alerts.send_mail", end)
    with pytest.raises(SoftTimeLimitExceeded):
        set_alert(DRIFT, psi(0.3))
    monkeypatch.undo()
    send_unsent()

    assert len(mail.outbox) == 1


def test_the_page_is_below_the_path_of_the_site_in_threads_too(settings, threads):
    settings.FORCE_SCRIPT_NAME = "/movies"
    found: Queue[str] = Queue()
    thread = PeriodicThread("name a page", lambda: found.put(page_of(Alert(pk=3))), lambda: 60)
    thread.ensure_started()
    thread.wake()

    assert found.get(timeout=30) == "/movies/admin/mlops/alert/3/change/"
    thread.stop()
