"""Drift reports computed from the site's rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core import mail
from django.db import connection

from catalog.models import Movie, MovieGenre, Rating, User
from mlops.findings import title
from mlops.models import Alert, DriftReport, OnlineMetrics
from mlops.monitoring.codes import AlertCode, DriftCode
from mlops.monitoring.drift.checks import check_activity, check_online_metrics, check_scores, worst
from mlops.monitoring.drift.windows import WEEK, read_window, windows
from mlops.services import check_drift
from mlops.tasks import check_drift as check_drift_task
from recommender.models import Impression
from tests.factories import GenreFactory
from tests.mlops.site import make_version

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def policy(settings):
    return settings.POLICY.drift


def test_the_worst_known_status_counts():
    assert worst(["ok", "insufficient_data"]) == "ok"
    assert worst(["warn", "alert", "ok"]) == "alert"
    assert worst(["insufficient_data", "insufficient_data"]) == "insufficient_data"


@pytest.mark.parametrize(
    ("recent", "status"), [(200, "ok"), (100, "warn"), (50, "alert"), (0, "alert"), (500, "warn"), (900, "alert")]
)
def test_bands_of_activity(policy, recent, status):
    assert check_activity(np.full(4, recent), np.full(4, 200), policy).outcome == status


def test_little_before_says_nothing_about_activity(policy):
    assert check_activity(np.full(4, 1000), np.full(4, 124), policy).outcome == "insufficient_data"
    assert check_activity(np.full(4, 1000), np.full(3, 1000), policy).outcome == "insufficient_data"


@pytest.mark.parametrize(
    ("recent", "n", "status"),
    [(100, 1000, "ok"), (80, 4000, "alert"), (40, 1000, "alert"), (39, 600, "insufficient_data"), (9, 100, None)],
)
def test_fall_of_online_metrics_must_be_large_and_sure(policy, recent, n, status):
    found = check_online_metrics((recent, n // 10), (n, n), policy)

    assert found.outcome == (status or "insufficient_data")


def test_scores_need_enough_people_and_a_large_distance(policy):
    rng = np.random.default_rng(0)
    before = rng.normal(size=600)

    assert check_scores(before[:499], before, policy).outcome == "insufficient_data"
    assert check_scores(rng.normal(size=600), before, policy).outcome == "ok"
    assert check_scores(rng.normal(0.8, size=600), before, policy).outcome == "alert"


def rate(count: int, days_ago: float, stars: float, *, movies: int = 1, start: int = 0) -> None:
    """One rating by each of `count` users, evenly over four weeks from `days_ago`."""
    users = User.objects.bulk_create([User(username=f"d{days_ago}-{start}-{n}") for n in range(count)])
    known = [Movie.objects.create(title=f"of {days_ago} {n}") for n in range(movies)]
    Rating.objects.bulk_create(
        Rating(
            user=user,
            movie=known[n % movies],
            rating=stars,
            rated_at=NOW - timedelta(days=days_ago - 27 * n / count),
        )
        for n, user in enumerate(users)
    )


def statuses(report: DriftReport) -> dict[str, str]:
    return {check.code: check.outcome for check in report.findings}


def test_falling_ratings_are_an_alert_mailed_once(db, quick, settings):
    settings.ALERT_EMAILS = ["ops@example.org"]
    rate(1, 70, 4.0)
    rate(600, 55.9, 4.0)
    rate(550, 27.9, 1.0)

    report = check_drift(now=NOW)
    check_drift(now=NOW)

    assert report.status == "alert"
    assert statuses(report) | {
        DriftCode.RATINGS: "alert",
        DriftCode.ACTIVITY: "ok",
        DriftCode.SOURCES: "ok",
    } == statuses(report)
    assert statuses(report)[DriftCode.SCORES] == "insufficient_data"
    assert report.window_start == NOW - timedelta(days=28)
    ratings = report.findings[0].params
    assert (ratings["n_before"], ratings["n_recent"]) == (601, 550)
    assert ratings["bars"][1] == ["1", 0.0, 1.0]
    [message] = mail.outbox
    assert title(AlertCode.DRIFT) in message.subject
    assert report.findings[0].sentence in message.body


def test_unchanged_site_is_ok_and_its_alert_closes(db, quick):
    Alert.objects.create(code=AlertCode.DRIFT)
    for stars in (2.0, 4.0):
        rate(400, 55.9, stars, start=int(stars))
        rate(400, 27.9, stars, start=int(stars))

    report = check_drift(now=NOW)

    assert statuses(report)[DriftCode.RATINGS] == "ok"
    assert report.status == "ok"
    assert Alert.objects.get().closed_at is not None


def test_reference_reaches_back_over_quiet_weeks(db, policy):
    rate(600, 427.9, 4.0)
    rate(100, 55.9, 4.0)
    rate(500, 27.9, 4.0)

    recent, before = windows(NOW, policy.model_copy(update={"reference_ratings": 300}))

    assert len(recent) == 500
    assert 300 <= len(before) < 500
    assert (recent.start - before.start) % WEEK == timedelta(0)


def test_large_window_is_sampled_evenly(db, policy):
    rate(1500, 27.9, 4.0)

    window = read_window(NOW - 4 * WEEK, NOW, policy.model_copy(update={"max_ratings": 1000}))

    assert len(window) == 750


def test_people_and_movies_are_new_for_four_weeks(db, policy):
    old, user = Movie.objects.create(title="old"), User.objects.create(username="u")
    fresh = Movie.objects.create(title="fresh")
    for days, movie in ((60, old), (20, fresh)):
        Rating.objects.create(user=user, movie=movie, rating=4, rated_at=NOW - timedelta(days=days))
    late = User.objects.create(username="late")
    Rating.objects.create(user=late, movie=old, rating=4, rated_at=NOW - timedelta(days=10))

    window = read_window(NOW - 4 * WEEK, NOW, policy)

    assert sorted(zip(window.users, window.is_new_user, window.is_new_movie, strict=True)) == [
        (user.pk, 0, 1),
        (late.pk, 1, 0),
    ]


def test_rating_changed_during_the_query_is_not_an_error(db, policy):
    user, movie = User.objects.create(username="busy"), Movie.objects.create(title="Rated")
    rating = Rating.objects.create(user=user, movie=movie, rating=4.0, rated_at=NOW - timedelta(days=1))

    def rate_again(execute, sql, *rest):
        if "MIN(" in sql:
            Rating.objects.filter(pk=rating.pk, rated_at__lt=NOW).update(rated_at=NOW + timedelta(hours=1))
        return execute(sql, *rest)

    with connection.execute_wrapper(rate_again):
        window = read_window(NOW - 4 * WEEK, NOW, policy)

    assert (window.movies.tolist(), window.is_new_movie.tolist()) == ([movie.pk], [1])


def test_lists_that_all_show_the_same_are_an_alert(db, policy, alice):
    genres = [GenreFactory(name=name, slug=name) for name in "abcde"]
    movies = Movie.objects.bulk_create([Movie(title=f"m{n}") for n in range(100)])
    MovieGenre.objects.bulk_create([MovieGenre(movie=m, genre=genres[n % 5]) for n, m in enumerate(movies)])

    def show(days_ago: float, pick) -> None:
        rows = [
            Impression(
                user=alice,
                surface="home:for-you",
                model_version=1,
                items=[[movies[at].pk, rank, "personal"] for rank, at in enumerate(pick(n), start=1)],
                shown_at=NOW - timedelta(days=days_ago),
            )
            for n in range(500)
        ]
        Impression.objects.bulk_create(rows)

    show(40, lambda n: [(n * 7 + place) % 100 for place in range(10)])
    show(5, lambda n: [5 * place for place in range(10)])

    found = {check.code: (check.outcome, check.figure) for check in check_drift(now=NOW).findings}

    assert found[DriftCode.COVERAGE] == ("alert", 0.1)
    assert found[DriftCode.DIVERSITY] == ("alert", 0.0)


def test_fall_of_online_metrics_is_in_the_report(alice, quick):
    version = make_version()
    for days, hits in ((40, 200), (5, 100)):
        day = (NOW - timedelta(days=days)).date()
        OnlineMetrics.objects.create(version=version, day=day, n=1000, hits=hits)

    assert statuses(check_drift(now=NOW))[DriftCode.ONLINE_METRICS] == "alert"


def test_site_without_recent_ratings_is_never_ok(alice, quick):
    assert check_drift_task()["status"] == "insufficient_data"
    assert DriftReport.objects.get().status == "insufficient_data"
