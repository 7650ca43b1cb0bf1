"""What the catalogue says of itself and somebody should know of."""

from typing import Any

from django.dispatch import receiver

from catalog.models import Source
from catalog.signals import sync_ended
from mlops.alerts import set_alert


@receiver(sync_ended)
def watch_sync(source: str, stopped_by: str, **kwargs: Any) -> None:
    """On from a sync that stopped before its end until one that did not."""
    set_alert(f"sync with {Source(source).label}", stopped_by)
