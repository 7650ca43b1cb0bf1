"""Told once when it begins and once when it ends."""

import pytest
from django.core import mail

from mlops.models import Alert
from mlops.monitoring.alerts import open_alerts, set_alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(settings):
    settings.ALERT_EMAILS = ["ops@example.org"]


def test_a_state_is_mailed_and_logged_once_however_often_it_is_found(ops, caplog):
    for found in ("PSI 0.3", "PSI 0.3", "PSI 0.4"):
        set_alert("drift", found)

    assert [(message.subject, message.body, message.to) for message in mail.outbox] == [
        ("[Movierec] drift", "PSI 0.3", ["ops@example.org"])
    ]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert [alert.message for alert in open_alerts()] == ["PSI 0.4"]


def test_its_end_is_told_once_and_the_next_beginning_again(ops):
    set_alert("drift", "PSI 0.3")
    set_alert("drift", "")
    set_alert("drift", "")
    set_alert("drift", "PSI 0.5")

    assert [message.subject for message in mail.outbox] == [
        "[Movierec] drift",
        "[Movierec] drift is over",
        "[Movierec] drift",
    ]
    assert [alert.message for alert in open_alerts()] == ["PSI 0.5"]
    assert Alert.objects.count() == 2


def test_a_mail_that_could_not_be_sent_is_sent_later(ops, monkeypatch):
    def refuse(*args):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("mlops.monitoring.alerts.send_mail", refuse)
    set_alert("drift", "PSI 0.3")
    monkeypatch.undo()
    set_alert("drift", "PSI 0.3")
    set_alert("drift", "PSI 0.3")

    assert len(mail.outbox) == 1


def test_without_an_address_it_is_in_the_log_alone(caplog):
    set_alert("drift", "PSI 0.3")

    assert "alert: drift: PSI 0.3" in caplog.text
    assert mail.outbox == []


def test_subjects_do_not_close_each_other(ops):
    set_alert("drift", "PSI 0.3")
    set_alert("training", "")

    assert [alert.subject for alert in open_alerts()] == ["drift"]
