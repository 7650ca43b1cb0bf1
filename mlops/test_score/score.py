"""The ML Test Score: the points that evidence earns for each of the 28 tests of `rubric.toml`.

A test earns 1 if every required check ran automatically, passed and is not stale; 0.5 if a check passed earlier or by
hand; 0 otherwise. The score of a section is the sum of its tests, the final score their minimum.
"""

import json
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mlops.data.evidence import record
from mlops.errors import InvalidEvidence
from mlops.findings import Finding, Outcome
from mlops.models import TestEvidence
from mlops.test_score.codes import EvidenceCode, Message, Missing

CLOCK_TOLERANCE = timedelta(minutes=10)
TESTS_SHOWN = 40
SECTIONS = {"D": "Data", "M": "Model", "I": "Infrastructure", "Mo": "Monitoring"}


@dataclass(frozen=True)
class Test:
    id: str
    title: str
    needs: dict[str, int]  # each source of evidence, with the days after which it is stale

    @property
    def section(self) -> str:
        return SECTIONS[self.id.rstrip("0123456789")]


RUBRIC = tomllib.loads(Path(__file__).with_name("rubric.toml").read_text(encoding="utf-8"))
TESTS = tuple(Test(name, row.pop("title"), row) for name, row in RUBRIC.items())
BY_ID = {test.id: test for test in TESTS}


@dataclass(frozen=True)
class TestScore:
    test: Test
    points: float
    missing: list[Finding]
    evidence: list[TestEvidence]


@dataclass(frozen=True)
class Section:
    name: str
    tests: list[TestScore]

    @property
    def points(self) -> float:
        return sum(test.points for test in self.tests)


@dataclass(frozen=True)
class Score:
    sections: list[Section]

    @property
    def points(self) -> float:
        return min(section.points for section in self.sections)


def ml_test_score(*, now: datetime | None = None) -> Score:
    moment = now or timezone.now()
    rows: dict[str, list[TestEvidence]] = defaultdict(list)
    for row in TestEvidence.objects.all():
        rows[row.test].append(row)
    sections: dict[str, list[TestScore]] = {name: [] for name in SECTIONS.values()}
    for test in TESTS:
        sections[test.section].append(score_test(test, rows[test.id], moment))
    return Score([Section(name, tests) for name, tests in sections.items()])


def score_test(test: Test, evidence: list[TestEvidence], now: datetime) -> TestScore:
    missing = []
    for source, days in test.needs.items():
        missing += _missing([row for row in evidence if row.source == source], source, days, now)
    has_passed = any(row.passed_at is not None for row in evidence)
    return TestScore(test, (0.5 if has_passed else 0.0) if missing else 1.0, missing, evidence)


def _missing(rows: list[TestEvidence], source: str, days: int, now: datetime) -> list[Finding]:
    params = {"source": str(TestEvidence.Source(source).label), "days": days}
    if not rows:
        return [Finding(Missing.NO_CHECK, Outcome.FAILED, params=params)]
    recent = [row for row in rows if now - row.ran_at <= timedelta(days=days)]
    if not recent:
        return [Finding(Missing.STALE, Outcome.FAILED, params=params)]
    failed = [row for row in recent if not row.passed]
    if failed:
        return [
            Finding(Missing.FAILED, Outcome.FAILED, params={"check": row.title, "detail": row.detail}, subject=row.code)
            for row in failed
        ]
    if any(row.is_automatic for row in recent):
        return []
    return [Finding(Missing.BY_HAND, Outcome.FAILED, params=params)]


def record_evidence(path: Path) -> int:
    """Records a file that `pytest --evidence` wrote; returns the number of the 28 tests. Raises InvalidEvidence."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ran_at = parse_datetime(content["ran_at"])
        suite = str(content["suite"])
        found = [(BY_ID[test].id, _suite_finding(result, suite)) for test, result in content["tests"].items()]
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


def _suite_finding(result: dict[str, list[str]], suite: str) -> Finding:
    passed, failed = list(result["passed"]), list(result["failed"])
    if failed or not passed:
        params, message = {"tests": failed[:TESTS_SHOWN]}, Message.TESTS_FAILED
        return Finding(EvidenceCode.TESTS, Outcome.FAILED, params=params, message=message, subject=suite)
    return Finding(EvidenceCode.TESTS, Outcome.PASSED, params={"tests": passed[:TESTS_SHOWN]}, subject=suite)
