"""Rows written by ff2ac02 are migrated to codes. Its own code wrote `monitoring_rows_of_ff2ac02.json`."""

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from catalog.sentences import NO_VALUE
from catalog.signals import sync_ended
from mlops import services
from mlops.findings import LEGACY, Finding, Outcome, title
from mlops.models import Alert, Backtest, DatasetSnapshot, DriftReport, Promotion, RetrainingCheck
from mlops.monitoring.codes import AblationCode, AlertCode, DriftCode, RetrainingCode, RetrainingResult
from tests.factories import RatingFactory
from tests.mlops.site import make_version

migration = import_module("mlops.migrations.0013_monitoring_codes")
ROWS = json.loads(Path(__file__).with_name("monitoring_rows_of_ff2ac02.json").read_text(encoding="utf-8"))


def alert_of(subject: str, message: str) -> Alert:
    row = SimpleNamespace(subject=subject, message=message, closed_at=None)
    migration.change_alert(row)
    return Alert(code=row.code, subject=row.subject, findings=row.findings, closed_at=row.closed_at)


def assert_readable(finding: Finding) -> None:
    assert LEGACY not in (finding.code, finding.message)
    assert finding.title != finding.code
    assert NO_VALUE not in finding.sentence


@pytest.mark.parametrize(("subject", "message"), ROWS["alerts"])
def test_old_alert_has_a_code_and_a_sentence(subject, message):
    alert = alert_of(subject, message)

    assert alert.title != alert.code
    assert alert.closed_at is None
    for row in alert.findings:
        assert_readable(Finding.from_dict(row))


def test_open_alerts_close_when_their_state_is_over(alice, bob, quick):
    """One open alert of each subject, on a site that is in order."""
    for subject, message in dict(ROWS["alerts"]).items():
        alert_of(subject, message).save()
    assert Alert.objects.filter(closed_at=None).count() == len(migration.ALERTS)
    services.promote(version=make_version(snapshot=services.export_snapshot()).pk)
    DatasetSnapshot.objects.update(exported_at=timezone.now() + timedelta(seconds=1))
    RatingFactory(rated_at=timezone.now())

    services.beat_heartbeat()
    services.check_staleness()
    services.check_drift()
    services.check_skew()
    services.check_retraining()
    services.auto_rollback()
    services.check_dependencies()
    sync_ended.send(sender=None, source="tmdb", stopped_by="")

    left = set(Alert.objects.filter(closed_at=None).values_list("code", flat=True))
    assert left <= {"dependency.tmdb"}  # not checked without a token


def test_alert_of_an_unknown_subject_is_kept_and_closed():
    alert = alert_of("moon phase", "It is full.")

    assert (alert.code, alert.title, alert.message) == (LEGACY, "moon phase", "It is full.")
    assert alert.closed_at is not None


def test_unrecognised_message_is_shown_as_it_was():
    alert = alert_of("drift", "genre mix: odd")

    assert (alert.code, alert.findings[0]["code"]) == (AlertCode.DRIFT, DriftCode.GENRES)
    assert alert.message == f"{title(DriftCode.GENRES)}: odd"


@pytest.mark.parametrize("check", ROWS["drift_checks"])
def test_old_drift_check_stays_readable(check):
    row = migration.drift_check(dict(check))

    finding = Finding.from_dict(row)
    assert_readable(finding)
    assert (finding.outcome, finding.figure, finding.threshold) == (check["status"], check["figure"], check["alert"])
    assert finding.params["n_before"] == check["n_before"]
    assert finding.params.get("bars") == check.get("bars")


def test_unknown_drift_check_is_shown_as_it_was():
    row = migration.drift_check({"name": "tides", "status": "warn", "sentence": "High."})

    report = DriftReport(checks=[row])
    assert [(check.title, check.sentence, check.outcome) for check in report.findings] == [("tides", "High.", "warn")]


@pytest.mark.parametrize("old", ROWS["retraining"])
def test_old_retraining_check_keeps_what_was_met(old):
    row = SimpleNamespace(criteria=old["criteria"], outcome=old["outcome"])
    migration.change_retraining_check(row)

    check = RetrainingCheck(criteria=row.criteria, result=row.result, params=row.params)
    assert check.result in RetrainingResult.values
    assert NO_VALUE not in check.sentence
    for finding, before in zip(check.findings, old["criteria"], strict=True):
        assert_readable(finding)
        assert finding.code in RetrainingCode.values
        assert (finding.outcome == Outcome.ALERT, finding.figure) == (before["is_met"], before["figure"])


def backtest_of(kind: str, figures: dict[str, Any]) -> Backtest:
    row = SimpleNamespace(kind=kind, figures=figures)
    migration.change_backtest(row)
    return Backtest(kind=kind, figures=row.figures)


@pytest.mark.parametrize("old", ROWS["backtests"])
def test_old_backtest_keeps_its_summary(old):
    summary = backtest_of(old["kind"], old["figures"]).summary

    parts = old["sentence"].removeprefix("nDCG by age of the data: ").split("; ")
    assert len(summary.split("; ")) == len(parts)
    assert "." not in summary.replace("%", "").split(":")[0]


def test_harm_found_before_the_upgrade_still_counts():
    old = {"genres": {"outcome": "harmful", "worth": {"lists of new movies": {"mean": -0.1}}}}

    figures = backtest_of("features", old).figures

    assert figures["feature.genres"]["outcome"] == AblationCode.HARMFUL
    assert list(figures["feature.genres"]["worth"]) == ["lists.new_movies"]


@pytest.mark.parametrize("old", ROWS["promotions"])
def test_old_promotion_says_why(old):
    row = SimpleNamespace(kind=old["kind"], reason=old["reason"], findings=[])
    migration.change_promotion(row)

    promotion = Promotion(kind=row.kind, reason=row.reason, findings=row.findings)
    assert promotion.reason == ""
    assert NO_VALUE not in promotion.why
    assert [finding["code"].partition(".")[0] for finding in row.findings] == ["canary"] * len(row.findings)


def test_reason_given_by_a_person_stays():
    row = SimpleNamespace(kind="rolled_back", reason="It was slow.", findings=[])
    migration.change_promotion(row)

    assert Promotion(kind=row.kind, reason=row.reason).why == "It was slow."
