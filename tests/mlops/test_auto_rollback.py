"""When a new champion is rolled back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlops.models import ModelVersion, OnlineMetrics, Promotion
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.auto_rollback import assess, check_errors, check_latency, check_online_metrics
from mlops.monitoring.codes import AlertCode, AutoRollbackCode
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
        (950, 50, "alert"),
        (0, 100, "alert"),
    ],
)
def test_errors_must_surely_be_too_many(n_served, n_failed, status):
    assert check_errors(service(n_served, n_failed), POLICY).outcome == status


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        (service(1000, seconds=0.1), service(1000, seconds=0.1), "ok"),
        (service(1000, seconds=0.25), service(1000, seconds=0.1), "alert"),  # more than twice as long
        (service(1000, seconds=0.05), service(1000, seconds=0.002), "ok"),  # nobody notices 50 ms
        (service(1000, seconds=0.25), service(99, seconds=0.1), "ok"),  # too little is known of the one before
        (service(1000, seconds=0.25), None, "ok"),
        (service(1000, seconds=2.5), None, "alert"),
        (service(1000, seconds=0.01, n_slow=60), None, "alert"),
        (service(99, seconds=2.5), None, "insufficient_data"),
    ],
)
def test_latency_is_compared_with_the_predecessors(now, before, status):
    assert check_latency(now, before, POLICY).outcome == status


def quality(n: int, mean: float) -> OnlineMetrics:
    return OnlineMetrics(n=n, ndcg_sum=n * mean, ndcg_square_sum=n * (0.2**2 + mean**2))


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        (quality(1000, 0.10), quality(1000, 0.10), "ok"),
        (quality(1000, 0.06), quality(1000, 0.10), "alert"),
        (quality(300, 0.07), quality(300, 0.10), "ok"),  # it may be chance
        (quality(50_000, 0.09), quality(50_000, 0.10), "ok"),  # surely lower, but by less than policy minds
        (quality(299, 0.0), quality(1000, 0.10), "insufficient_data"),
        (quality(1000, 0.0), quality(299, 0.10), "insufficient_data"),
        (OnlineMetrics(), OnlineMetrics(), "insufficient_data"),
    ],
)
def test_online_metrics_must_be_clearly_lower(now, before, status):
    assert check_online_metrics(now, before, POLICY).outcome == status


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


def test_failing_champion_is_rolled_back_on_record(promoted):
    _, second, third = promoted
    count(third, 60, 40)
    count(third, 60, 40, process="b")

    report = auto_rollback()

    assert (report.version, report.rolled_back_to) == (third.pk, second.pk)
    assert ServedModel.objects.get(slot="champion").version == second.pk
    entry = Promotion.objects.first()
    assert (entry.version, entry.previous, entry.kind, entry.promoted_by) == (second, third, "auto_rollback", None)
    [finding] = entry.findings
    assert (finding["code"], finding["figure"]) == (AutoRollbackCode.ERRORS, 0.4)
    assert finding["params"] == {"n": 200, "n_failed": 80}
    [alert] = open_alerts()
    assert alert.code == AlertCode.AUTO_ROLLBACK
    assert [found["code"] for found in alert.findings] == [AutoRollbackCode.ERRORS, AutoRollbackCode.DONE]
    assert entry.why in alert.message
    auto_rollback()
    assert open_alerts() == []


def test_champion_of_a_roll_back_is_not_rolled_back(promoted):
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

    assert [finding.outcome for finding in report.findings] == ["ok", "ok", "insufficient_data"]
    assert auto_rollback_task() == {"version": promoted[2].pk, "rolled_back_to": None}


def test_champion_with_worse_online_metrics_is_rolled_back(promoted):
    _, second, third = promoted
    today = timezone.now().date()
    for version, ndcg in ((second, 0.2), (third, 0.1)):
        for days in (0, 1):
            sums = {"ndcg_sum": 500 * ndcg, "ndcg_square_sum": 500 * (0.25**2 + ndcg**2)}
            OnlineMetrics.objects.create(version=version, day=today - timedelta(days=days), n=500, hits=90, **sums)

    assert auto_rollback().rolled_back_to == second.pk

    [finding] = Promotion.objects.first().findings
    assert (finding["code"], finding["params"]) == (AutoRollbackCode.ONLINE_METRICS, {"ndcg": 0.1})
    assert finding["figure"] == pytest.approx(-0.1)
    assert finding["interval"][1] < 0


def test_only_the_window_and_days_after_promotion_count(promoted, settings):
    count(promoted[2], 0, 500, minutes_ago=31)

    assert {finding.outcome for finding in assess().findings} == {"insufficient_data"}
    assert assess(now=timezone.now() + timedelta(days=15)).version is None


def test_policy_may_switch_it_off(promoted, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "by-hand.yaml", auto_rollback={"enabled": False}))
    count(promoted[2], 0, 200)

    report = auto_rollback()

    assert [finding.code for finding in report.failures] == [AutoRollbackCode.ERRORS]
    assert report.rolled_back_to is None
    assert report.result.code == open_alerts()[0].findings[-1]["code"] == AutoRollbackCode.SWITCHED_OFF
    assert ModelVersion.objects.get(status="champion") == promoted[2]


def test_first_champion_stays(alice, quick):
    only = make_version()
    promote(version=only.pk)
    count(only, 0, 200)

    report = auto_rollback()

    assert (report.rolled_back_to, report.result.code) == (None, AutoRollbackCode.REFUSED)
    assert report.result.params["error"] == "nothing_to_roll_back_to"
    assert ModelVersion.objects.get(status="champion") == only


def test_without_a_champion_there_is_nothing_to_assess(db, quick):
    assert auto_rollback().version is None
