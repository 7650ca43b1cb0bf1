"""Rows of evidence for the ML Test Score: the last result of each check, from the gate, schedules and test suites."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from mlops.models import Evidence

DETAIL = 2000  # characters


def record(
    test: str,
    source: str,
    check_name: str,
    *,
    passed: bool,
    detail: str = "",
    is_automatic: bool = True,
    revision: str = "",
    ran_at: datetime | None = None,
) -> Evidence:
    """The last result of the check; an older one than is kept already changes nothing."""
    moment = ran_at or timezone.now()
    values: dict[str, Any] = {
        "passed": passed,
        "detail": detail[:DETAIL],
        "is_automatic": is_automatic,
        "revision": revision[:64],
        "ran_at": moment,
    } | ({"passed_at": moment} if passed else {})
    with transaction.atomic():
        row, is_new = Evidence.objects.select_for_update().get_or_create(
            test=test, source=source, check_name=check_name[:200], defaults=values
        )
        if not is_new and moment >= row.ran_at:
            Evidence.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row
