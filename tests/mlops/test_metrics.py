from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client import CollectorRegistry, generate_latest

from mlops.dashboard.metrics import RowsCollector
from mlops.findings import Finding, Outcome
from mlops.models import Alert, DriftReport, OnlineMetrics, PipelineRun, Promotion, RetrainingCheck, Watermark
from mlops.monitoring.codes import AlertCode, DriftCode, RetrainingCode
from mlops.services import ensure_schedules, promote
from movierec import ops
from movierec.ops import LatestRows
from tests.audit_trail import trail
from tests.mlops.site import make_version
from tests.movierec.test_metrics import TOKEN
from tests.processes import wait_for


def scrape() -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(RowsCollector())
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_a_new_site_has_no_champion_and_no_run(db):
    figures = scrape()

    assert "movierec_champion_version" not in figures
    assert figures['movierec_training_runs{status="running"}'] == 0
    assert figures["movierec_training_backlog_seconds"] == 0


def test_figures_come_from_the_current_rows(alice, quick):
    version = make_version()
    promote(version=version.pk)
    hour_ago = timezone.now() - timedelta(hours=1)
    trail(Promotion).update(promoted_at=hour_ago)
    version.snapshot.exported_at = hour_ago - timedelta(hours=1)
    version.snapshot.save()
    PipelineRun.objects.create(status="queued", trigger="api", algorithm="ease", created_at=hour_ago)
    PipelineRun.objects.create(status="errored", trigger="api", algorithm="ease")
    drifted = Finding(DriftCode.GENRES, Outcome.ALERT, 0.3, params={"measure": "PSI"}).to_dict()
    DriftReport.objects.create(status="alert", checks=[drifted], window_start=hour_ago, window_end=hour_ago)
    OnlineMetrics.objects.create(version=version, day=hour_ago.date(), n=50, hits=10, ndcg_sum=4)
    criteria = [Finding(RetrainingCode.DRIFT, Outcome.ALERT), Finding(RetrainingCode.NEW_MOVIES, Outcome.OK)]
    RetrainingCheck.objects.create(criteria=[criterion.to_dict() for criterion in criteria])
    Alert.objects.create(code=AlertCode.DRIFT, opened_at=hour_ago)
    Alert.objects.create(code=AlertCode.SYNC_FAILED, subject="tmdb", opened_at=hour_ago)
    Alert.objects.create(code=AlertCode.TRAINING_FAILED, opened_at=hour_ago, closed_at=hour_ago)
    for job in Watermark.Job.HEARTBEAT, Watermark.Job.BACKUP:
        Watermark.objects.create(name=job, at=hour_ago)
    ensure_schedules()
    PeriodicTask.objects.filter(name="requeue-stale-jobs").update(last_run_at=hour_ago)
    broken = PeriodicTask.objects.get(name="prune").crontab
    type(broken).objects.filter(pk=broken.pk).update(day_of_month="30", month_of_year="2")

    figures = scrape()

    assert figures["movierec_champion_version"] == version.pk
    assert 3600 <= figures["movierec_champion_age_seconds"] < 3700
    assert 7200 <= figures["movierec_champion_data_age_seconds"] < 7300
    assert figures['movierec_training_runs{status="errored"}'] == 1
    assert 3600 <= figures["movierec_training_backlog_seconds"] < 3700
    assert (figures['movierec_drift_status{status="alert"}'], figures['movierec_drift_status{status="ok"}']) == (1, 0)
    assert figures['movierec_drift_figure{check="drift.genre_mix",measure="PSI"}'] == 0.3
    assert figures[f'movierec_live_ratings{{version="{version.pk}"}}'] == 50
    assert figures[f'movierec_live_hit_rate{{version="{version.pk}"}}'] == 0.2
    assert figures[f'movierec_live_ndcg{{version="{version.pk}"}}'] == 0.08
    assert figures['movierec_retraining_criterion{criterion="retraining.drift"}'] == 1
    assert figures['movierec_retraining_criterion{criterion="retraining.new_movies"}'] == 0
    assert {name for name in figures if name.startswith("movierec_alert")} == {
        'movierec_alert_age_seconds{subject="drift"}',
        'movierec_alert_age_seconds{subject="sync_failed:tmdb"}',
    }
    assert figures['movierec_ml_test_score{section="Data"}'] == 0
    assert 3600 <= figures["movierec_scheduler_heartbeat_age_seconds"] < 3700
    assert 3600 <= figures["movierec_backup_age_seconds"] < 3700
    assert 3600 <= figures['movierec_schedule_last_run_age_seconds{schedule="requeue-stale-jobs"}'] < 3700
    assert 3580 <= figures['movierec_schedule_overdue_seconds{schedule="requeue-stale-jobs"}'] < 3690
    assert figures['movierec_schedule_overdue_seconds{schedule="train-model"}'] == 0
    assert 'movierec_schedule_overdue_seconds{schedule="prune"}' not in figures


def test_trainings_since_the_promotion_are_counted(alice, quick):
    PipelineRun.objects.create(status="failed", trigger="api", algorithm="ease")
    assert scrape()["movierec_trainings_since_promotion"] == 1
    promote(version=make_version().pk)
    assert scrape()["movierec_trainings_since_promotion"] == 0
    for status in ("failed", "errored", "succeeded", "cancelled", "queued"):
        PipelineRun.objects.create(status=status, trigger="api", algorithm="ease")
    assert scrape()["movierec_trainings_since_promotion"] == 3


@pytest.fixture
def latest_rows() -> Iterator[LatestRows]:
    """As a web process has them."""
    rows = LatestRows()
    rows.start()
    yield rows
    rows.thread.stop()


def test_a_thread_reads_the_figures_that_a_scrape_shows(transactional_db, latest_rows, monkeypatch):
    monkeypatch.setattr(ops, "REFRESH_SECONDS", 0.01)
    assert b'movierec_training_runs{status="failed"} 0.0' in latest_rows.text()
    PipelineRun.objects.create(status="failed", trigger="api", algorithm="ease")
    latest_rows.thread.wake()
    shown = b'movierec_training_runs{status="failed"} 1.0'
    wait_for(lambda: shown in latest_rows.text(), pause=0.01, seconds=60, what="the new figure")
    latest_rows.thread.stop()
    with CaptureQueriesContext(connection) as queries:
        assert shown in latest_rows.text()
    assert len(queries) > 0  # without the thread


def test_old_figures_are_left_out(db, latest_rows, monkeypatch):
    assert latest_rows.text()
    monkeypatch.setattr(ops, "MAX_AGE_SECONDS", 0.0)
    assert latest_rows.text() == b""


def test_a_database_without_an_answer_costs_its_figures_alone(client, monkeypatch, caplog):
    def fail(self: object) -> None:
        raise OperationalError("no answer")

    monkeypatch.setattr(LatestRows, "_read", fail)
    answer = client.get("/metrics", headers=TOKEN)
    assert (answer.status_code, b"movierec_training_runs" in answer.content) == (200, False)
    assert b"model_predictions_total" in answer.content
    assert "no answer" in caplog.text
