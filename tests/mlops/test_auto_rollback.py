"""What a new champion is taken back for, and what not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlops.models import ModelVersion, OnlineMetrics, Promotion
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.auto_rollback import Quality, assess, check_errors, check_latency, check_quality
from mlops.services import auto_rollback, promote, roll_back
from mlops.tasks import auto_rollback as auto_rollback_task
from movierec.policy import load_policy
from recommender.models import ServedModel, ServingStatsMinute
from recommender.serving.stats import LATENCY_BUCKETS, ServingStats
from tests.mlops.site import make_version, write_policy
from tests.processes import ROOT

POLICY = load_policy(ROOT / "config.yaml").auto_rollback


def service(n_served: int, n_failed: int = 0, seconds: float = 0.01, n_slow: int = 0) -> ServingStats:
    classes = [0] * (len(LATENCY_BUCKETS) + 1)
    classes[LATENCY_BUCKETS.index(seconds)] = n_served - n_slow
    classes[-1] = n_slow
    return ServingStats(n_failed, classes)


@pytest.mark.parametrize(
    ("n_served", "n_failed", "status"),
    [
        (96, 3, "insufficient_data"),
        (1000, 0, "ok"),
        (975, 25, "ok"),  # 2.5 %, but it may be chance
        (950, 50, "bad"),
        (0, 100, "bad"),
    ],
)
def test_errors_must_surely_be_too_many(n_served, n_failed, status):
    assert check_errors(service(n_served, n_failed), POLICY).status == status


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        (service(1000, seconds=0.1), service(1000, seconds=0.1), "ok"),
        (service(1000, seconds=0.25), service(1000, seconds=0.1), "bad"),  # more than twice as long
        (service(1000, seconds=0.05), service(1000, seconds=0.002), "ok"),  # nobody notices 50 ms
        (service(1000, seconds=0.25), service(99, seconds=0.1), "ok"),  # too little is known of the one before
        (service(1000, seconds=0.25), None, "ok"),
        (service(1000, seconds=2.5), None, "bad"),
        (service(1000, seconds=0.01, n_slow=60), None, "bad"),
        (service(99, seconds=2.5), None, "insufficient_data"),
    ],
)
def test_latency_is_held_against_the_predecessors(now, before, status):
    assert check_latency(now, before, POLICY).status == status


def quality(n: int, mean: float) -> Quality:
    return Quality(n, n * mean, n * (0.2**2 + mean**2))


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        (quality(1000, 0.10), quality(1000, 0.10), "ok"),
        (quality(1000, 0.06), quality(1000, 0.10), "bad"),
        (quality(300, 0.07), quality(300, 0.10), "ok"),  # it may be chance
        (quality(50_000, 0.09), quality(50_000, 0.10), "ok"),  # surely lower, but by less than policy minds
        (quality(299, 0.0), quality(1000, 0.10), "insufficient_data"),
        (quality(1000, 0.0), quality(299, 0.10), "insufficient_data"),
        (Quality(), Quality(), "insufficient_data"),
    ],
)
def test_live_quality_must_be_clearly_lower(now, before, status):
    assert check_quality(now, before, POLICY).status == status


@pytest.fixture
def promoted(alice, quick) -> list[ModelVersion]:
    versions = [make_version() for _ in range(3)]
    for version in versions:
        promote(version=version.pk)
    return versions


def count(version: ModelVersion, n_served: int, n_failed: int = 0, minutes_ago: int = 0, process: str = "a") -> None:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    found = service(n_served, n_failed)
    ServingStatsMinute.objects.create(
        process=process,
        version=version.pk,
        minute=minute,
        n_served=n_served,
        n_failed=n_failed,
        latency_histogram=found.latency_histogram,
    )


def test_a_champion_that_fails_is_taken_back_and_it_is_on_record(promoted):
    _, second, third = promoted
    count(third, 60, 40)
    count(third, 60, 40, process="b")

    report = auto_rollback()

    assert (report.version, report.rolled_back_to) == (third.pk, second.pk)
    assert ServedModel.objects.get(slot="champion").version == second.pk
    entry = Promotion.objects.first()
    assert (entry.version, entry.previous, entry.kind, entry.promoted_by) == (second, third, "auto_rollback", None)
    assert entry.reason.startswith("80 of 200 lists failed (40.0%)")
    [alert] = open_alerts()
    assert alert.message.endswith(f"Version {second.pk} is the champion again.")
    auto_rollback()
    assert open_alerts() == []


def test_who_came_by_a_roll_back_is_not_taken_back(promoted):
    _, second, third = promoted
    count(third, 0, 200)
    auto_rollback()
    count(second, 0, 200)

    assert auto_rollback().version is None
    assert ModelVersion.objects.get(status="champion") == second
    roll_back()  # a person goes one further: not back to the one that failed
    assert ModelVersion.objects.get(status="champion") == promoted[0]


def test_a_champion_that_serves_well_stays(promoted):
    count(promoted[2], 500, 1)
    count(promoted[1], 0, 500)  # what another version does is not its fault

    report = auto_rollback()

    assert [finding.status for finding in report.findings] == ["ok", "ok", "insufficient_data"]
    assert auto_rollback_task() == {"version": promoted[2].pk, "rolled_back_to": None}


def test_a_champion_whose_lists_are_worse_at_work_is_taken_back(promoted):
    _, second, third = promoted
    today = timezone.now().date()
    for version, ndcg in ((second, 0.2), (third, 0.1)):
        for days in (0, 1):
            sums = {"ndcg_sum": 500 * ndcg, "ndcg_square_sum": 500 * (0.25**2 + ndcg**2)}
            OnlineMetrics.objects.create(version=version, day=today - timedelta(days=days), n=500, hits=90, **sums)

    assert auto_rollback().rolled_back_to == second.pk

    assert Promotion.objects.first().reason.startswith("Live nDCG@10 is 0.1000, -0.1000 [")


def test_only_the_window_and_the_days_after_a_promotion_are_looked_at(promoted, settings):
    count(promoted[2], 0, 500, minutes_ago=31)

    assert {finding.status for finding in assess().findings} == {"insufficient_data"}
    assert assess(now=timezone.now() + timedelta(days=15)).version is None


def test_policy_may_leave_it_to_people(promoted, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "by-hand.yaml", auto_rollback={"enabled": False}))
    count(promoted[2], 0, 200)

    report = auto_rollback()

    assert (report.rolled_back_to, report.reasons != "") == (None, True)
    assert "auto_rollback.enabled is false" in open_alerts()[0].message
    assert ModelVersion.objects.get(status="champion") == promoted[2]


def test_the_first_champion_has_nobody_to_give_way_to(alice, quick):
    only = make_version()
    promote(version=only.pk)
    count(only, 0, 200)

    report = auto_rollback()

    assert (report.rolled_back_to, report.refusal) == (None, f"No earlier champion than version {only.pk} is kept.")
    assert ModelVersion.objects.get(status="champion") == only


def test_without_a_champion_there_is_nothing_to_watch(db, quick):
    assert auto_rollback().version is None
