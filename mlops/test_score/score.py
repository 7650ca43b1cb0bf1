"""From evidence to points: 1 where every needed check ran by itself, passed and is not stale, 0.5 where a check has
passed at some time or by hand, 0 otherwise. A section's score is the sum of its tests, the final one their minimum."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mlops.models import Evidence
from mlops.test_score.rubric import SECTIONS, TESTS, Test


@dataclass(frozen=True)
class TestScore:
    test: Test
    points: float
    missing: tuple[str, ...]
    evidence: tuple[Evidence, ...]


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
    rows: dict[str, list[Evidence]] = defaultdict(list)
    for row in Evidence.objects.all():
        rows[row.test].append(row)
    found = [score_test(test, rows[test.id], moment) for test in TESTS]
    return Score(
        tuple(
            Section(name, tuple(score for score in found if score.test.section == name)) for name in SECTIONS.values()
        )
    )


def score_test(test: Test, evidence: list[Evidence], now: datetime) -> TestScore:
    missing = []
    for source, days in test.needs.items():
        missing += _missing([row for row in evidence if row.source == source], source, days, now)
    if not missing:
        return TestScore(test, 1.0, (), tuple(evidence))
    has_passed = any(row.passed_at is not None for row in evidence)
    return TestScore(test, 0.5 if has_passed else 0.0, tuple(missing), tuple(evidence))


def _missing(rows: list[Evidence], source: str, days: int, now: datetime) -> list[str]:
    name = Evidence.Source(source).label
    if not rows:
        return [f"no check by the {name}"]
    recent = [row for row in rows if now - row.ran_at <= timedelta(days=days)]
    if not recent:
        return [f"the last check by the {name} is older than {days} days"]
    failed = [f"{row.check_name}: {row.detail or 'failed'}" for row in recent if not row.passed]
    if failed:
        return failed
    return [] if any(row.is_automatic for row in recent) else [f"the check by the {name} was run by hand"]
