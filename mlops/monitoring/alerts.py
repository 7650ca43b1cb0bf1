"""Alerts: rows that open when a check fails and close when it passes again.

Each is logged, and sent by e-mail and to the webhook once when it opens and once when it closes, however often its
check runs in between.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import send_mail
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Source
from catalog.signals import sync_ended
from catalog.site_settings import speaking
from mlops.findings import Finding, Outcome
from mlops.models import Alert
from mlops.monitoring.codes import AlertCode

logger = logging.getLogger(__name__)

WEBHOOK_SECONDS = 5.0  # to connect, and between two parts of the answer's head


def set_alert(code: str, *findings: Finding, subject: str = "") -> Alert | None:
    """Opens or updates the alert with these findings; without any, closes it. Returns the open alert."""
    if not findings:
        _close(code, subject)
        return None
    rows = [finding.to_dict() for finding in findings]
    # When several processes find the same state at once, one of them opens the alert and the others get its row.
    alert, is_new = Alert.objects.get_or_create(code=code, subject=subject, closed_at=None, defaults={"findings": rows})
    if is_new:
        logger.error("alert: %s: %s", code, alert.message)
    elif alert.findings != rows:
        alert.findings = rows
        alert.save(update_fields=["findings"])
    send_beginning(alert)
    return alert


def alert_on(finding: Finding) -> None:
    """For an alert about one check: open while the check's outcome is an alert."""
    set_alert(finding.code, *([finding] if finding.outcome == Outcome.ALERT else []))


def send_beginning(alert: Alert) -> None:
    """Sends an open alert wherever that has not succeeded before, as while the mail server was down."""
    for sent_at, (setting, send) in CHANNELS.items():
        rows = Alert.objects.filter(pk=alert.pk)
        # Of several processes that find the same alert unsent, the one that notes the time sends it.
        if not getattr(settings, setting) or not rows.filter(**{sent_at: None}).update(**{sent_at: timezone.now()}):
            continue
        is_sent = False
        try:
            with speaking():
                is_sent = send(alert, _("Alert: {title}").format(title=alert.title), alert.message)
        finally:  # also when the task's time is over
            if not is_sent:
                rows.update(**{sent_at: None})


def send_unsent() -> None:
    """Sends what could not be sent when an alert began, whose own check may run once a day."""
    for alert in open_alerts():
        send_beginning(alert)


def open_alerts() -> list[Alert]:
    return list(Alert.objects.filter(closed_at=None))


@receiver(sync_ended)
def alert_on_sync(source: str, stopped_by: str, **kwargs: Any) -> None:
    """Opens an alert when a sync stops early; the next complete sync closes it."""
    params = {"provider": Source(source).label, "error": stopped_by}
    findings = [Finding(AlertCode.SYNC_FAILED, Outcome.ALERT, params=params)] if stopped_by else []
    set_alert(AlertCode.SYNC_FAILED, *findings, subject=source)


def _close(code: str, subject: str) -> None:
    alert = Alert.objects.filter(code=code, subject=subject, closed_at=None).first()
    now = timezone.now()
    if alert is None or not Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=now):
        return
    alert.closed_at = now
    logger.warning("resolved: %s (was: %s)", code, alert.message)
    with speaking():
        since = {"since": alert.opened_at, "message": alert.message}
        body = _("Open since {since:%Y-%m-%d %H:%M} UTC: {message}").format(**since)
        for sent_at, (setting, send) in CHANNELS.items():
            if getattr(settings, setting) and getattr(alert, sent_at) is not None:
                send(alert, _("Resolved: {title}").format(title=alert.title), body)


def page_of(alert: Alert) -> str:
    """The address of the alert's page; without the site's own, which CSRF_TRUSTED_ORIGINS names, only its path."""
    site = next((origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
    return site + reverse("admin:mlops_alert_change", args=[alert.pk])


def _mail(alert: Alert, heading: str, body: str) -> bool:
    try:
        send_mail(f"[Movierec] {heading}", f"{body}\n\n{page_of(alert)}", None, settings.ALERT_EMAILS)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        # Whatever the mail backend raises: the alert is in the log and the database anyway.
        logger.warning("the e-mail %r could not be sent", heading, exc_info=True)
        return False
    return True


def _post(alert: Alert, heading: str, body: str) -> bool:
    content = {
        "text": f"[Movierec] {heading}\n{body}\n{page_of(alert)}",  # all that chat programs read
        "status": "resolved" if alert.closed_at else "open",
        "code": alert.code,
        "subject": alert.subject,
        "title": alert.title,
        "message": alert.message,
        "opened_at": alert.opened_at.isoformat(),
        "closed_at": alert.closed_at and alert.closed_at.isoformat(),
        "url": page_of(alert),
    }
    address = urlsplit(settings.ALERT_WEBHOOK_URL)
    try:
        status = _status_of_post(address, json.dumps(content))
    except (OSError, HTTPException, ValueError) as error:
        problem = type(error).__name__  # its text may hold the address, which is a secret
    else:
        problem = "" if 200 <= status < 300 else f"it answered {status}"
    if problem:
        logger.warning("the alert %r could not be posted to ALERT_WEBHOOK_URL: %s", heading, problem)
    return not problem


def _status_of_post(address: SplitResult, body: str) -> int:
    """With the standard library: httpx takes long to import, and a redirected POST would become a GET."""
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=WEBHOOK_SECONDS)
    headers = {"Content-Type": "application/json"}
    if address.username is not None:
        sign_in = f"{unquote(address.username)}:{unquote(address.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(sign_in.encode()).decode()}"
    with closing(connection):
        connection.request("POST", address._replace(scheme="", netloc="").geturl() or "/", body, headers)
        return connection.getresponse().status


# The field that says when an alert's beginning was sent, the setting of whom to send it to, and what sends it.
CHANNELS: dict[str, tuple[str, Callable[[Alert, str, str], bool]]] = {
    "mailed_at": ("ALERT_EMAILS", _mail),
    "posted_at": ("ALERT_WEBHOOK_URL", _post),
}
