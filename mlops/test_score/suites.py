"""Evidence from runs of the test suite, recorded by hand or included in a release."""

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mlops.data.evidence import record
from mlops.errors import InvalidEvidence
from mlops.evaluation.lineage import RELEASE_CI, ROOT, tree_hash
from mlops.findings import Finding, Outcome
from mlops.models import TestEvidence
from mlops.test_score.codes import RUBRIC, EvidenceCode, Message

logger = logging.getLogger(__name__)

CLOCK_TOLERANCE = timedelta(minutes=10)
TESTS_SHOWN = 40


def record_evidence(path: Path) -> int:
    """Records a file written by `pytest --evidence`. Returns how many of the 28 tests it covers.

    Raises InvalidEvidence.
    """
    results = _read(path)
    with transaction.atomic():
        for test, finding in results.findings:
            source = TestEvidence.Source.PYTEST
            record(test, source, finding, **results.run)
    return len(results.findings)


def release_evidence() -> list[TestEvidence]:
    """Returns the results of the release's CI run as unsaved rows. Returns none if the code was changed.

    The release workflow copies the files of its own CI run to `deploy/ci-evidence`.
    """
    rows = []
    for path in sorted((ROOT / RELEASE_CI).glob("*.json")):
        try:
            results = _read(path)
        except InvalidEvidence as error:
            logger.warning("the release's evidence is not counted: %s", error)
            continue
        if results.run["is_automatic"] and results.tree == _tree_of(ROOT):
            rows += [_release_row(test, finding, results.run) for test, finding in results.findings]
    return rows


@cache
def _tree_of(root: Path) -> str:
    """Returns the cached hash of the running code. Hashing takes 30 ms, and /metrics needs it every ten seconds."""
    return tree_hash(root)


def _release_row(test: str, finding: Finding, run: dict[str, Any]) -> TestEvidence:
    row = TestEvidence(test=test, source=TestEvidence.Source.PYTEST, code=finding.key, **run)
    row.findings, row.passed = [finding.to_dict()], finding.outcome in TestEvidence.PASSING
    row.passed_at, row.is_release = row.ran_at if row.passed else None, True
    return row


@dataclass(frozen=True)
class _Results:
    """A run of the test suite: the findings of each test, the fields for `record`, and the hash of the code."""

    findings: list[tuple[str, Finding]]
    run: dict[str, Any]
    tree: str


def _read(path: Path) -> _Results:
    """Reads the results from the file. Raises InvalidEvidence."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ran_at = parse_datetime(content["ran_at"])
        suite = str(content["suite"])
        found = [(test, _suite_finding(result, suite)) for test, result in content["tests"].items()]
        if unknown := {test for test, _ in found} - RUBRIC.keys():
            raise KeyError(", ".join(sorted(unknown)))
        run = {"is_automatic": bool(content["automatic"]), "revision": str(content["revision"]), "ran_at": ran_at}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidEvidence(
            f"{path}: expected the file that `pytest --evidence FILE` writes ({type(error).__name__}: {error})."
        ) from None
    if ran_at is None or ran_at.tzinfo is None or ran_at > timezone.now() + CLOCK_TOLERANCE:
        raise InvalidEvidence(f"{path}: ran_at: expected a moment with time zone, not in the future.")
    return _Results(found, run, str(content.get("tree", "")))


def _suite_finding(result: dict[str, list[str]], suite: str) -> Finding:
    passed, failed = list(result["passed"]), list(result["failed"])
    if failed or not passed:
        params, message = {"tests": failed[:TESTS_SHOWN]}, Message.TESTS_FAILED
        return Finding(EvidenceCode.TESTS, Outcome.FAILED, params=params, message=message, subject=suite)
    return Finding(EvidenceCode.TESTS, Outcome.PASSED, params={"tests": passed[:TESTS_SHOWN]}, subject=suite)
