"""Evidence in a file that a run of the test suite wrote."""

import json
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mlops.data.evidence import record
from mlops.errors import InvalidEvidence
from mlops.findings import Finding, Outcome
from mlops.models import TestEvidence
from mlops.test_score.codes import EvidenceCode, Message
from mlops.test_score.rubric import BY_ID

CLOCK_TOLERANCE = timedelta(minutes=10)
TESTS_SHOWN = 40


def record_file(path: Path) -> int:
    """Records a file that `pytest --evidence` wrote; returns the number of the 28 tests. Raises InvalidEvidence."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ran_at = parse_datetime(content["ran_at"])
        suite = str(content["suite"])
        found = [(BY_ID[test].id, _finding(result, suite)) for test, result in content["tests"].items()]
        is_automatic, revision = bool(content["automatic"]), str(content["revision"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidEvidence(
            f"{path}: expected the file that `pytest --evidence FILE` writes ({type(error).__name__}: {error})."
        ) from None
    if ran_at is None or ran_at.tzinfo is None or ran_at > timezone.now() + CLOCK_TOLERANCE:
        raise InvalidEvidence(f"{path}: ran_at: expected a moment with time zone, not in the future.")
    with transaction.atomic():
        for test, finding in found:
            source = TestEvidence.Source.PYTEST
            record(test, source, finding, is_automatic=is_automatic, revision=revision, ran_at=ran_at)
    return len(found)


def _finding(result: dict[str, list[str]], suite: str) -> Finding:
    passed, failed = list(result["passed"]), list(result["failed"])
    if failed or not passed:
        params, message = {"tests": failed[:TESTS_SHOWN]}, Message.TESTS_FAILED
        return Finding(EvidenceCode.TESTS, Outcome.FAILED, params=params, message=message, subject=suite)
    return Finding(EvidenceCode.TESTS, Outcome.PASSED, params={"tests": passed[:TESTS_SHOWN]}, subject=suite)
