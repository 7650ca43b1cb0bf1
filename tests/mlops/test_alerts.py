"""Alerts: logged and e-mailed once when they open and once when they close."""

import pytest
from django.core import mail

from catalog.signals import sync_ended
from mlops.findings import Finding, Outcome, title
from mlops.models import Alert
from mlops.monitoring.alerts import alert_on, open_alerts, page_of, set_alert
from mlops.monitoring.codes import AlertCode, DriftCode, StalenessCode

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
