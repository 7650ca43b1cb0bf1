"""Computes the ML Test Score from the evidence for each of the 28 tests in `rubric.toml`.

A test earns 1 point if every required check ran automatically, passed and is not stale. It earns 0.5 if a check passed
earlier or by hand. A section's score is the sum of its tests' points. The final score is that of the lowest section.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mlops.findings import Finding, Outcome
from mlops.models import TestEvidence
from mlops.test_score.codes import RUBRIC, Missing
from mlops.test_score.suites import release_evidence

SECTIONS = {"D": "Data", "M": "Model", "I": "Infrastructure", "Mo": "Monitoring"}


@dataclass(frozen=True)
class Test:
    id: str
    title: str
    needs: dict[str, int]  # days after which evidence is stale, keyed by source

    @property
    def section(self) -> str:
        return SECTIONS[self.id.rstrip("0123456789")]


TESTS = tuple(
    Test(name, row["title"], {source: days for source, days in row.items() if source != "title"})
    for name, row in RUBRIC.items()
)


@dataclass(frozen=True)
class TestScore:
    test: Test
    points: float
    missing: list[Finding]
    evidence: list[TestEvidence]

    @property
    def by_release(self) -> bool:
        """Returns whether the evidence includes a successful CI run of this release's code."""
        return any(row.is_release and row.passed for row in self.evidence)


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
    for row in [*TestEvidence.objects.all(), *release_evidence()]:
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
