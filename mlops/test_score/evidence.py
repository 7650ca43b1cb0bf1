"""Evidence that a run of the test suite wrote down."""

import json
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mlops.data.evidence import record
from mlops.errors import InvalidEvidence
from mlops.models import Evidence
from mlops.test_score.rubric import BY_ID

CLOCK_TOLERANCE = timedelta(minutes=10)


def record_file(path: Path) -> int:
    """What the test suite wrote with `--evidence`; how many of the 28 tests it speaks of. Raises InvalidEvidence."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ran_at = parse_datetime(content["ran_at"])
        found = [(BY_ID[test].id, *_result(result)) for test, result in content["tests"].items()]
        suite, is_automatic, revision = str(content["suite"]), bool(content["automatic"]), str(content["revision"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidEvidence(
            f"{path}: expected the file that `pytest --evidence FILE` writes ({type(error).__name__}: {error})."
        ) from None
    if ran_at is None or ran_at.tzinfo is None or ran_at > timezone.now() + CLOCK_TOLERANCE:
        raise InvalidEvidence(f"{path}: ran_at: expected a moment with time zone, not in the future.")
    with transaction.atomic():
        for test, passed, detail in found:
            record(
                test,
                Evidence.Source.PYTEST,
                f"tests, {suite}",
                passed=passed,
                detail=detail,
                is_automatic=is_automatic,
                revision=revision,
                ran_at=ran_at,
            )
    return len(found)


def _result(result: dict[str, list[str]]) -> tuple[bool, str]:
    passed, failed = list(result["passed"]), list(result["failed"])
    return bool(passed) and not failed, "failed: " + ", ".join(failed) if failed else ", ".join(passed)
