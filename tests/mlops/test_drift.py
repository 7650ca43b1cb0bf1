import math
from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Movie, Rating, User
from mlops.drift import check_activity, check_distribution, population_stability_index, worst
from mlops.models import DriftReport
from mlops.services import check_drift
from mlops.tasks import check_drift as check_drift_task
from movierec.policy import Drift

POLICY = Drift(
    window_days=30, min_ratings=500, psi_warn=0.1, psi_alert=0.25, activity_warn_ratio=0.5, activity_alert_ratio=0.25
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_the_index_is_the_sum_over_bins():
    expected = (0.75 - 0.25) * math.log(3) + (0.25 - 0.75) * math.log(1 / 3)

    assert population_stability_index([75, 25], [250, 750]) == pytest.approx(expected)
    assert population_stability_index([30, 70], [3, 7]) == 0


def test_an_empty_bin_has_a_finite_index():
    assert math.isfinite(population_stability_index([0, 100], [50, 50]))


@pytest.mark.parametrize(
    ("recent", "status"),
    [([300, 300], "ok"), ([420, 180], "warn"), ([510, 90], "alert"), ([250, 249], "insufficient_data")],
)
def test_bands_of_the_rating_distribution(recent, status):
    assert check_distribution(recent, [300, 300], POLICY)["status"] == status


@pytest.mark.parametrize(
    ("recent", "before", "status"),
    [(600, 600, "ok"), (301, 600, "ok"), (300, 600, "warn"), (150, 600, "alert"), (0, 600, "alert")],
)
def test_bands_of_activity(recent, before, status):
    assert check_activity(recent, before, POLICY)["status"] == status


def test_little_before_says_nothing_about_activity():
    assert check_activity(1000, 499, POLICY)["status"] == "insufficient_data"


def test_the_worst_known_status_counts():
    assert worst(["ok", "insufficient_data"]) == "ok"
    assert worst(["warn", "alert", "ok"]) == "alert"
    assert worst(["insufficient_data", "insufficient_data"]) == "insufficient_data"


def rate(count: int, days_ago: float, stars: float) -> None:
    users = User.objects.bulk_create([User(username=f"d{days_ago}-{n}") for n in range(count)])
    movie = Movie.objects.create(title=f"of {days_ago}")
    moment = NOW - timedelta(days=days_ago)
    Rating.objects.bulk_create([Rating(user=u, movie=movie, rating=stars, rated_at=moment) for u in users])


def test_a_site_whose_users_turn_sour_gets_an_alert(db, quick):
    rate(600, 40, 4.0)
    rate(550, 5, 1.0)
    rate(50, 70, 1.0)  # before both windows

    report = check_drift(now=NOW)

    assert (report.status, [check["status"] for check in report.checks]) == ("alert", ["alert", "ok"])
    assert [(check["n_before"], check["n_recent"]) for check in report.checks] == [(600, 550), (600, 550)]
    assert (report.window_start, report.window_end) == (NOW - timedelta(days=30), NOW)


def test_a_site_without_recent_ratings_has_insufficient_data_never_ok(alice, quick):
    assert check_drift_task()["status"] == "insufficient_data"
    assert DriftReport.objects.get().status == "insufficient_data"
