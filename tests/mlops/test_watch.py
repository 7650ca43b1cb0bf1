"""Web processes open an alert while Redis cannot count requests or the disk is not writable."""

import errno
import os

import pytest

from catalog import counter
from mlops.models import Alert
from mlops.monitoring.codes import DependencyCode
from mlops.monitoring.watch import site_watch, watch_counter, watch_disk

pytestmark = pytest.mark.django_db


def test_an_unreachable_counter_is_an_alert_until_it_counts(settings):
    configured = settings.COUNTER_URL
    settings.COUNTER_URL = "redis://:secret@127.0.0.1:1/0"
    watch_counter()
    watch_counter()

    alert = Alert.objects.get(closed_at=None)
    assert alert.code == DependencyCode.COUNTER
    assert "127.0.0.1:1" in alert.findings[0]["params"]["error"]
    assert "secret" not in str(alert.findings)

    settings.COUNTER_URL = configured
    watch_counter()
    assert not Alert.objects.filter(closed_at=None).exists()


def test_a_failed_count_is_logged_and_wakes_the_watch(settings, monkeypatch, caplog):
    monkeypatch.setattr(counter, "_paused_until", 0.0)
    settings.COUNTER_URL = "redis://127.0.0.1:1/0"
    site_watch._wake.clear()
    counter.count("a", seconds=60)
    counter.count("a", seconds=60)

    assert site_watch._wake.is_set()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Redis cannot count requests" in caplog.text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_cannot_be_written_to_is_an_alert(client, monkeypatch, number):
    def refuse(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    watch_disk()
    watch_disk()

    [alert] = Alert.objects.filter(closed_at=None)
    assert (alert.code, alert.findings[0]["params"]["error"]) == (DependencyCode.DISK, os.strerror(number))
    ready = client.get("/readyz")
    assert ready.status_code == 200  # the site serves
    assert not ready.json()["parts"]["disk"]["ok"]
    assert os.strerror(number) in ready.json()["parts"]["disk"]["detail"]

    monkeypatch.undo()
    watch_disk()
    assert not Alert.objects.filter(closed_at=None).exists()
    assert client.get("/readyz").json()["parts"]["disk"]["ok"]
