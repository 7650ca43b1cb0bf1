"""Alerts: rows that open when a check fails and close when it passes again.

Each is logged, and e-mailed once when it opens and once when it closes, however often its check runs in between.
"""

import logging
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import send_mail
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Source
from catalog.signals import sync_ended
from mlops.findings import Finding, Outcome
from mlops.models import Alert
from mlops.monitoring.codes import AlertCode

logger = logging.getLogger(__name__)


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
    if alert.mailed_at is None and _send(_("Alert: {title}").format(title=alert.title), alert.message, alert):
        # Set only after a success, so that the next check tries again when the mail server was down.
        Alert.objects.filter(pk=alert.pk).update(mailed_at=timezone.now())
    return alert


def alert_on(finding: Finding) -> None:
    """For an alert about one check: open while the check's outcome is an alert."""
    set_alert(finding.code, *([finding] if finding.outcome == Outcome.ALERT else []))


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
    if alert is None or not Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=timezone.now()):
        return
    logger.warning("resolved: %s (was: %s)", code, alert.message)
    if alert.mailed_at is not None:
        body = _("Open since {since:%Y-%m-%d %H:%M} UTC: {message}").format(
            since=alert.opened_at, message=alert.message
        )
        _send(_("Resolved: {title}").format(title=alert.title), body, alert)


def page_of(alert: Alert) -> str:
    """The address of the alert's page; without the site's own, which CSRF_TRUSTED_ORIGINS names, only its path."""
    site = next((origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
    return site + reverse("admin:mlops_alert_change", args=[alert.pk])


def _send(subject: str, body: str, alert: Alert) -> bool:
    if not settings.ALERT_EMAILS:
        return False
    try:
        send_mail(f"[Movierec] {subject}", f"{body}\n\n{page_of(alert)}", None, settings.ALERT_EMAILS)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        # Whatever the mail backend raises: the alert is in the log and the database anyway.
        logger.warning("the e-mail %r could not be sent", subject, exc_info=True)
        return False
    return True
