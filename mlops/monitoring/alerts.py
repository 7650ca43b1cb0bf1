"""States that somebody should know of: kept as rows, logged, and sent by e-mail once when they begin and once when
they end, however often they are found again in between."""

import logging
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.dispatch import receiver
from django.utils import timezone

from catalog.models import Source
from catalog.signals import sync_ended
from mlops.models import Alert

logger = logging.getLogger(__name__)


def set_alert(subject: str, message: str) -> Alert | None:
    """With a message the state is on, with an empty one it is over. Returns the open alert, if any."""
    if not message:
        _close(subject)
        return None
    alert, is_new = _open(subject, message)
    if is_new:
        logger.error("alert: %s: %s", subject, message)
    elif alert.message != message:
        Alert.objects.filter(pk=alert.pk).update(message=message)
    if alert.mailed_at is None and _send(subject, message):  # also again, when the mail server was down before
        Alert.objects.filter(pk=alert.pk).update(mailed_at=timezone.now())
    return alert


def open_alerts() -> list[Alert]:
    return list(Alert.objects.filter(closed_at=None))


@receiver(sync_ended)
def alert_on_sync(source: str, stopped_by: str, **kwargs: Any) -> None:
    """Opens an alert when a sync stops early; the next complete sync closes it."""
    set_alert(f"sync with {Source(source).label}", stopped_by)


def _open(subject: str, message: str) -> tuple[Alert, bool]:
    """Of several processes that find it at once one opens it."""
    try:
        with transaction.atomic():
            return Alert.objects.get_or_create(subject=subject, closed_at=None, defaults={"message": message})
    except IntegrityError:
        return Alert.objects.get(subject=subject, closed_at=None), False


def _close(subject: str) -> None:
    alert = Alert.objects.filter(subject=subject, closed_at=None).first()
    if alert is None or not Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=timezone.now()):
        return
    logger.warning("over: %s (was: %s)", subject, alert.message)
    if alert.mailed_at is not None:
        _send(f"{subject} is over", f"Since {alert.opened_at:%Y-%m-%d %H:%M} UTC it was: {alert.message}")


def _send(subject: str, message: str) -> bool:
    if not settings.ALERT_EMAILS:
        return False
    try:
        send_mail(f"[Movierec] {subject}", message, None, settings.ALERT_EMAILS)
    except Exception:
        # Whatever the mail backend raises: the row and the log say it, too.
        logger.warning("the alert %r could not be sent by e-mail", subject, exc_info=True)
        return False
    return True
