"""Alerts, which open when a check fails and close when it passes again.

An alert is logged, mailed and posted to the webhook when it opens and again when it closes. Repeated checks in between
send nothing.
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

WEBHOOK_SECONDS = 5.0  # timeout for the connection, and for each read of the response's headers


def set_alert(code: str, *findings: Finding, subject: str = "") -> Alert | None:
    """Opens or updates the alert with these findings, or closes it if there are none. Returns the open alert."""
    if not findings:
        _close(code, subject)
        return None
    rows = [finding.to_dict() for finding in findings]
    # If several processes detect the same problem at once, one of them opens the alert and the others get its row.
    alert, is_new = Alert.objects.get_or_create(code=code, subject=subject, closed_at=None, defaults={"findings": rows})
    if is_new:
        logger.error("alert: %s: %s", code, alert.message)
    elif alert.findings != rows:
        alert.findings = rows
        alert.save(update_fields=["findings"])
    send_beginning(alert)
    return alert


def alert_on(finding: Finding) -> None:
    """Opens or closes the alert on a single check, depending on the finding's outcome."""
    set_alert(finding.code, *([finding] if finding.outcome == Outcome.ALERT else []))


def send_beginning(alert: Alert) -> None:
    """Sends an open alert through each channel that has not sent it yet."""
    for sent_at, (setting, send) in CHANNELS.items():
        rows = Alert.objects.filter(pk=alert.pk)
        # Only the process that sets the time sends the alert. This prevents duplicates.
        if not getattr(settings, setting) or not rows.filter(**{sent_at: None}).update(**{sent_at: timezone.now()}):
            continue
        is_sent = False
        try:
            with speaking():
                is_sent = send(alert, _("Alert: {title}").format(title=alert.title), alert.message)
        finally:  # also if the task exceeds its time limit
            if not is_sent:
                rows.update(**{sent_at: None})


def send_unsent() -> None:
    """Retries messages that could not be sent when their alerts opened. The alert's own check may run only daily."""
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
    """Returns the URL of the alert's page, or only the path if CSRF_TRUSTED_ORIGINS lacks the site's origin."""
    site = next((origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
    return site + reverse("admin:mlops_alert_change", args=[alert.pk])


def _mail(alert: Alert, heading: str, body: str) -> bool:
    try:
        send_mail(f"[Movierec] {heading}", f"{body}\n\n{page_of(alert)}", None, settings.ALERT_EMAILS)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        # The mail backend may raise any exception. The alert is also in the log and the database.
        logger.warning("the e-mail %r could not be sent", heading, exc_info=True)
        return False
    return True


def _post(alert: Alert, heading: str, body: str) -> bool:
    content = {
        "text": f"[Movierec] {heading}\n{body}\n{page_of(alert)}",  # chat programs read only this field
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
        problem = type(error).__name__  # the error's text may contain the URL, which is a secret
    else:
        problem = "" if 200 <= status < 300 else f"it answered {status}"
    if problem:
        logger.warning("the alert %r could not be posted to ALERT_WEBHOOK_URL: %s", heading, problem)
    return not problem


def _status_of_post(address: SplitResult, body: str) -> int:
    """Posts the body and returns the response's status.

    Uses the standard library, because httpx is slow to import and would follow a redirect with a GET.
    """
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=WEBHOOK_SECONDS)
    headers = {"Content-Type": "application/json"}
    if address.username is not None:
        sign_in = f"{unquote(address.username)}:{unquote(address.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(sign_in.encode()).decode()}"
    with closing(connection):
        connection.request("POST", address._replace(scheme="", netloc="").geturl() or "/", body, headers)
        return connection.getresponse().status


# Channels: the field for the time of sending, the setting with the recipients, and the send function.
CHANNELS: dict[str, tuple[str, Callable[[Alert, str, str], bool]]] = {
    "mailed_at": ("ALERT_EMAILS", _mail),
    "posted_at": ("ALERT_WEBHOOK_URL", _post),
}
