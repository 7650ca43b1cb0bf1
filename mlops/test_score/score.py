"""From evidence to points: 1 if every required check ran automatically, passed and is not stale; 0.5 if a check passed
earlier or by hand; 0 otherwise. The score of a section is the sum of its tests, the final score their minimum."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mlops.findings import Finding, Outcome
from mlops.models import TestEvidence
from mlops.test_score.codes import Missing
from mlops.test_score.rubric import SECTIONS, TESTS, Test


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
