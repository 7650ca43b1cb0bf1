"""The staff dashboard: access, content for a new site and one in production, and queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from mlops.dashboard.page import TABS
from mlops.evaluation.intervals import wilson
from mlops.findings import Finding, Outcome
from mlops.models import Alert, DriftReport, GateDecision, OnlineMetrics, PipelineRun, RunStep
from mlops.monitoring.codes import AlertCode, DriftCode, Message, StalenessCode
from mlops.services import beat_heartbeat, check_drift, check_retraining, ensure_schedules, promote
from tests.audit_trail import trail
from tests.mlops.site import FIGURES, make_version, rule

NOW = timezone.now()
PATHS = ["/mlops/", "/mlops/runs/"]


@pytest.mark.parametrize("path", PATHS)
def test_only_staff_see_the_page(client, nora, sam, path):
    assert client.get(path).headers["Location"] == f"/accounts/sign-in/?next={path}"
    client.force_login(nora)
    assert client.get(path).status_code == 404
    client.force_login(sam)
    assert client.get(path).status_code == 200


@pytest.mark.wording
def test_page_of_a_new_site_says_what_is_missing(client, sam):
    client.force_login(sam)

    page = "".join(client.get(f"/mlops/?tab={tab}").content.decode() for tab in TABS)

    for said in (
        "No model is served yet",
        "There is no report yet",
        "No training runs yet",
        "Not checked yet",
        "No version is waiting",
    ):
        assert said in page
    assert 'class="plot"' not in page


@pytest.fixture
def at_work(alice, quick):
    """A champion with a successor that was refused, live quality of two days, drift, an alert, a training under way."""
    champion = make_version(figures=FIGURES | {"interval": {"mean": 0.2, "low": 0.18, "high": 0.22}})
    promote(version=champion.pk)
    refused = make_version(decision="refused", rules=[rule("Too few movies.", "failed")])
    trail(GateDecision).filter(version=refused).update(champion=champion)
    for days, hits in ((1, 10), (0, 30)):
        day = (NOW - timedelta(days=days)).date()
        sums = {"n": 100, "n_shown": 40, "hits": hits, "popular_hits": 9, "ndcg_sum": 5}
        OnlineMetrics.objects.create(version=champion, day=day, **sums)
    bars = [["Drama", 0.6, 0.3], ["Horror", 0.4, 0.7]]
    params = {"measure": "PSI", "warn": 0.1, "chance": 0.01, "n_recent": 900, "n_before": 800, "bars": bars}
    check = Finding(DriftCode.GENRES, Outcome.ALERT, 0.3, 0.25, params=params, message=Message.PSI).to_dict()
    DriftReport.objects.create(status="alert", checks=[check], window_start=NOW, window_end=NOW)
    Alert.objects.create(code=AlertCode.DRIFT, findings=[check])
    run = PipelineRun.objects.create(status="running", trigger="scheduled", algorithm="hybrid", heartbeat_at=NOW)
    fitting = {"activity": "evaluating", "activity_details": {"done": 3, "total": 9, "model": "champion"}}
    RunStep.objects.create(run=run, name="evaluate", **fitting)
    beat_heartbeat()
    ensure_schedules()
    return champion


@pytest.mark.wording
def test_page_shows_a_site_in_production(client, sam, at_work):
    check = check_retraining()
    client.force_login(sam)

    page = "".join(client.get(f"/mlops/?tab={tab}").content.decode() for tab in TABS)

    for said in (
        f"Version {at_work.pk}",
        "nDCG@10</a> 0.2000 [0.1800, 0.2200]",
        f"<strong>{Alert.objects.first().title}</strong> since",
        Alert.objects.first().message,
        "0.2000 [0.1505,&nbsp;0.2609]",  # 40 hits of 200
        "Too few movies.",
        "evaluate: 3/9 champion",
        check.sentence,
        "score-online-metrics",
        "No regression in prediction quality on served data",
        str(StalenessCode.SCHEDULER.label),
    ):
        assert said in page, said
    assert page.count('class="plot"') == 3  # versions, online metrics and the genres of the drift report
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://testserver", "")
    assert "https://" not in page


def test_runs_are_polled_faster_while_one_is_active(client, sam, at_work):
    client.force_login(sam)
    assert 'hx-trigger="every 2s"' in client.get("/mlops/runs/").content.decode()

    PipelineRun.objects.update(status="errored", outcome="bug", details={"error": "The worker died."})

    page = client.get("/mlops/runs/").content.decode()
    assert 'hx-trigger="every 20s"' in page
    assert "The worker died." in page


@pytest.mark.wording
def test_schedules_show_their_next_run(client, sam, at_work):
    PeriodicTask.objects.filter(name="prune").update(enabled=False)
    client.force_login(sam)

    response = client.get("/mlops/?tab=schedules")

    rows = {row.name: (when, next_at) for row, when, next_at in response.context["schedules"]}
    when, next_at = rows["requeue-stale-jobs"]
    assert when == str(PeriodicTask.objects.get(name="requeue-stale-jobs").interval)
    assert timedelta(0) <= next_at - timezone.now() + timedelta(seconds=20)
    when, next_at = rows["check-drift"]
    assert (when, next_at.hour, next_at.minute) == ("0 4 * * * (UTC)", 4, 0)
    assert rows["prune"][1] is None


@pytest.mark.parametrize("tab", TABS)
def test_page_makes_as_many_queries_for_many_rows(client, sam, at_work, tab):
    client.force_login(sam)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/mlops/?tab={tab}").status_code == 200
        return len(asked)

    few = queries()
    for _ in range(5):
        version = make_version(figures=FIGURES, snapshot=at_work.snapshot)
        OnlineMetrics.objects.create(version=version, day=NOW.date(), n=10, hits=1)
        run = PipelineRun.objects.create(status="failed", trigger="admin", requested_by=sam, algorithm="ease")
        RunStep.objects.create(run=run, name="fit")
        check_drift()

    assert queries() == few <= 25


@pytest.mark.wording
def test_drift_report_in_the_admin_has_plots(client, sam, at_work):
    client.force_login(sam)
    report = DriftReport.objects.first()

    page = client.get(f"/admin/mlops/driftreport/{report.pk}/change/").content.decode()

    assert page.count('class="plot-now"') == page.count('class="plot-before"') == 2
    assert "Horror now: 0.7" in page


@pytest.mark.parametrize("model", ["onlinemetrics", "retrainingcheck", "alert", "testevidence", "driftreport"])
def test_monitoring_rows_are_read_only(client, sam, at_work, model):
    check_retraining()
    client.force_login(sam)

    assert client.get(f"/admin/mlops/{model}/").status_code == 200
    assert client.get(f"/admin/mlops/{model}/add/").status_code == 403


def test_wilson_s_interval_is_the_textbook_s():
    assert wilson(40, 200) == pytest.approx((0.1505, 0.2609), abs=5e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
