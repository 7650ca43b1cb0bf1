"""Stores evidence for the ML Test Score: the latest result of each automatic check."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from mlops.findings import Finding
from mlops.models import TestEvidence


def record(
    test: str,
    source: str,
    finding: Finding,
    *details: Finding,
    is_automatic: bool = True,
    revision: str = "",
    ran_at: datetime | None = None,
) -> TestEvidence:
    """Stores a check's result and the findings behind it, unless a newer result is stored."""
    moment = ran_at or timezone.now()
    passed = finding.outcome in TestEvidence.PASSING
    values: dict[str, Any] = {
        "passed": passed,
        "findings": [found.to_dict() for found in (finding, *details)],
        "is_automatic": is_automatic,
        "revision": revision[:64],
        "ran_at": moment,
    } | ({"passed_at": moment} if passed else {})
    with transaction.atomic():
        row, is_new = TestEvidence.objects.select_for_update().get_or_create(
            test=test, source=source, code=finding.key[:200], defaults=values
        )
        if not is_new and moment >= row.ran_at:
            TestEvidence.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row
