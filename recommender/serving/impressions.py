"""Shown lists are recorded as impressions, through a write-behind buffer."""

from django.db import DataError, IntegrityError, transaction

from recommender.metrics import IMPRESSIONS_DROPPED
from recommender.models import Impression
from recommender.serving.write_behind import WriteBehindBuffer


def write_impressions(batch: list[Impression]) -> None:
    """Write all of them, or all but those whose user was deleted meanwhile."""
    try:
        with transaction.atomic():
            Impression.objects.bulk_create(batch)
    except (DataError, IntegrityError):
        if len(batch) == 1:
            IMPRESSIONS_DROPPED.inc()
            return
        for impression in batch:
            write_impressions([impression])


impressions = WriteBehindBuffer(
    "impressions", write_impressions, seconds=1.0, capacity=10_000, on_drop=IMPRESSIONS_DROPPED.inc
)
