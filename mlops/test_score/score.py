"""The ML Test Score: the 28 tests, which automatic checks a full point takes, and the points that evidence earns.

A test earns 1 if every required check ran automatically, passed and is not stale; 0.5 if a check passed earlier or by
hand; 0 otherwise. The score of a section is the sum of its tests, the final score their minimum.
"""

import json
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

PYTEST, BEAT, GATE = "pytest", "beat", "gate"
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


CI_DAYS, DAILY, WEEKLY, TRAINING, MONTHLY = 30, 3, 15, 30, 60

TESTS = (
    Test("D1", "Feature expectations are captured in a schema", {PYTEST: CI_DAYS, BEAT: TRAINING}),
    Test("D2", "All features are beneficial", {BEAT: WEEKLY}),
    Test("D3", "No feature's cost is too much", {GATE: TRAINING}),
    Test("D4", "Features adhere to meta-level requirements", {PYTEST: CI_DAYS}),
    Test("D5", "The data pipeline has privacy controls", {PYTEST: CI_DAYS}),
    Test("D6", "New features can be added quickly", {PYTEST: CI_DAYS}),
    Test("D7", "All input feature code is tested", {PYTEST: CI_DAYS}),
    Test("M1", "Every model specification is reviewed and checked in", {GATE: TRAINING}),
    Test("M2", "Offline metrics correlate with online ones", {BEAT: WEEKLY}),
    Test("M3", "All hyper-parameters have been tuned", {BEAT: DAILY}),
    Test("M4", "The impact of model staleness is known", {BEAT: MONTHLY}),
    Test("M5", "A simpler model is not better", {GATE: TRAINING}),
    Test("M6", "Quality is sufficient on all important slices", {GATE: TRAINING}),
    Test("M7", "The model has been tested for inclusion", {GATE: TRAINING}),
    Test("I1", "Training is reproducible", {PYTEST: CI_DAYS}),
    Test("I2", "Model specification code is unit tested", {PYTEST: CI_DAYS}),
    Test("I3", "The full pipeline is integration tested", {PYTEST: CI_DAYS}),
    Test("I4", "Model quality is validated before serving", {PYTEST: CI_DAYS, GATE: TRAINING}),
    Test("I5", "A single example can be debugged", {PYTEST: CI_DAYS}),
    Test("I6", "Models are tried before they serve", {GATE: TRAINING}),
    Test("I7", "Models can be rolled back quickly and safely", {PYTEST: CI_DAYS}),
    Test("Mo1", "Dependency changes result in notification", {PYTEST: CI_DAYS, BEAT: DAILY}),
    Test("Mo2", "Data invariants hold in training and serving inputs", {BEAT: DAILY}),
    Test("Mo3", "Training and serving features compute the same values", {BEAT: DAILY}),
    Test("Mo4", "Models are not too stale", {PYTEST: CI_DAYS, BEAT: DAILY}),
    Test("Mo5", "The model is numerically stable", {PYTEST: CI_DAYS, GATE: TRAINING}),
    Test("Mo6", "No regression in training speed, latency, memory", {BEAT: DAILY}),
    Test("Mo7", "No regression in prediction quality on served data", {BEAT: DAILY}),
)
BY_ID = {test.id: test for test in TESTS}


@dataclass(frozen=True)
class TestScore:
    test: Test
    points: float
    missing: tuple[Finding, ...]
    evidence: tuple[TestEvidence, ...]


@dataclass(frozen=True)
class Section:
    name: str
    tests: tuple[TestScore, ...]

    @property
    def points(self) -> float:
        return sum(test.points for test in self.tests)


@dataclass(frozen=True)
class Score:
    sections: tuple[Section, ...]

    @property
    def points(self) -> float:
        return min(section.points for section in self.sections)


def ml_test_score(*, now: datetime | None = None) -> Score:
    moment = now or timezone.now()
    rows: dict[str, list[TestEvidence]] = defaultdict(list)
    for row in TestEvidence.objects.all():
        rows[row.test].append(row)
    found = [score_test(test, rows[test.id], moment) for test in TESTS]
    return Score(
        tuple(
            Section(name, tuple(score for score in found if score.test.section == name)) for name in SECTIONS.values()
        )
    )


def score_test(test: Test, evidence: list[TestEvidence], now: datetime) -> TestScore:
    missing = []
    for source, days in test.needs.items():
        missing += _missing([row for row in evidence if row.source == source], source, days, now)
    if not missing:
        return TestScore(test, 1.0, (), tuple(evidence))
    has_passed = any(row.passed_at is not None for row in evidence)
    return TestScore(test, 0.5 if has_passed else 0.0, tuple(missing), tuple(evidence))


def _missing(rows: list[TestEvidence], source: str, days: int, now: datetime) -> list[Finding]:
    params = {"source": str(TestEvidence.Source(source).label), "days": days}
    if not rows:
        return [Finding(Missing.NO_CHECK, Outcome.FAILED, params=params)]
    recent = [row for row in rows if now - row.ran_at <= timedelta(days=days)]
    if not recent:
        return [Finding(Missing.STALE, Outcome.FAILED, params=params)]
    failed = [row for row in recent if not row.passed]
    if failed:
        return [_failed(row) for row in failed]
    if any(row.is_automatic for row in recent):
        return []
    return [Finding(Missing.BY_HAND, Outcome.FAILED, params=params)]


def _failed(row: TestEvidence) -> Finding:
    params = {"check": row.title, "detail": row.detail}
    return Finding(Missing.FAILED, Outcome.FAILED, params=params, subject=row.code)


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
