"""Points require evidence that is automatic, passed and not stale."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mlops.data.evidence import record
from mlops.evaluation.lineage import tree_hash
from mlops.findings import Finding, Outcome
from mlops.gate.codes import Rule
from mlops.models import OnlineMetrics, PipelineRun, RunStep, TestEvidence, TuningStudy, TuningTrial
from mlops.registry.codes import SmokeCheck
from mlops.services import beat_heartbeat, collect_evidence, ml_test_score, promote, record_evidence
from mlops.tasks import collect_evidence as collect_task
from mlops.test_score.codes import EvidenceCode, Message, Missing
from mlops.test_score.score import TESTS
from tests.mlops.site import FIGURES, make_version
from tests.processes import ROOT

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def points() -> dict[str, float]:
    return {found.test.id: found.points for section in ml_test_score().sections for found in section.tests}


def missing(test: str) -> list[str]:
    found = {found.test.id: found for section in ml_test_score().sections for found in section.tests}
    return [finding.code for finding in found[test].missing]


def check(passed: bool = True) -> Finding:
    return Finding(EvidenceCode.TESTS, Outcome.PASSED if passed else Outcome.FAILED, subject="embedded")


def test_the_rubric_has_28_tests_seven_a_section():
    assert len({test.id for test in TESTS}) == len(TESTS) == 28
    assert [len(section.tests) for section in ml_test_score().sections] == [7, 7, 7, 7]


def test_nothing_shown_is_no_point():
    assert set(points().values()) == {0.0}
    assert missing("I4") == [Missing.NO_CHECK, Missing.NO_CHECK]


def test_a_full_point_takes_every_source():
    record("I4", "pytest", check())
    assert points()["I4"] == 0.5

    record("I4", "gate", check())
    assert points()["I4"] == 1.0
    assert missing("I4") == []


@pytest.mark.parametrize(
    ("passed", "fields", "score", "why"),
    [
        (False, {}, 0.0, Missing.FAILED),
        (True, {"is_automatic": False}, 0.5, Missing.BY_HAND),
        (True, {"ran_at": NOW - timedelta(days=31)}, 0.5, Missing.STALE),
    ],
)
def test_failed_stale_or_manual_checks_score_no_full_point(passed, fields, score, why):
    record("D7", "pytest", check(passed), **fields)

    assert points()["D7"] == score
    assert missing("D7") == [why]


def test_a_check_that_fails_after_passing_scores_half_a_point():
    record("D7", "pytest", check(), ran_at=NOW - timedelta(days=1))
    record("D7", "pytest", check(passed=False))

    assert points()["D7"] == 0.5
    assert missing("D7") == [Missing.FAILED]


def test_an_older_result_does_not_replace_a_newer_one():
    record("D7", "pytest", check())
    record("D7", "pytest", check(passed=False), ran_at=NOW - timedelta(days=1))

    assert points()["D7"] == 1.0


def test_the_score_is_that_of_the_lowest_section():
    for test in TESTS:
        for source in test.needs if test.section != "Data" else []:
            record(test.id, source, check())
    record("D4", "pytest", check())

    score = ml_test_score()

    assert [section.points for section in score.sections] == [1, 7, 7, 7]
    assert score.points == 1


def rule(code: str, outcome: str = "passed", subject: str = "") -> dict[str, Any]:
    return Finding(code, outcome, subject=subject).to_dict()


def test_the_champions_verdict_is_evidence(alice, quick):
    rules = [
        rule(Rule.BASELINE, subject="popular"),
        rule(Rule.SLICE, subject="history_0"),
        rule(Rule.SLICE, "failed", subject="history_1_4"),
        rule(Rule.POPULARITY_GINI, "not_judged"),
        rule(SmokeCheck.FINITE),
    ]
    version = make_version(rules=rules, code_revision="a" * 40)
    promote(version=version.pk)
    make_version(decision="refused", rules=[rule(Rule.BASELINE, "failed", subject="popular")])

    collect_evidence()

    assert dict(TestEvidence.objects.filter(source="gate").values_list("test", "passed")) == {
        "I4": True,
        "I6": True,
        "M1": True,
        "M5": True,
        "M6": False,
        "Mo5": True,
    }


@pytest.mark.parametrize("revision", ["", "a" * 40 + "-dirty"])
def test_code_that_is_not_checked_in_is_no_point(alice, quick, revision):
    promote(version=make_version(code_revision=revision).pk)

    collect_evidence()

    assert not TestEvidence.objects.get(test="M1").passed


def test_the_checks_of_the_last_training_are_evidence(alice, quick):
    run = PipelineRun.objects.create(status="failed", trigger="scheduled", algorithm="ease")
    RunStep.objects.create(run=run, name="checks", status="failed", ended_at=NOW, figures={"rows": 9, "bad_rows": 5})

    collect_evidence()

    row = TestEvidence.objects.get(test="D1")
    assert (row.passed, row.findings[0]["params"]) == (False, {"run": run.pk, "n_rows": 9, "n_bad": 5})


def test_hyper_parameters_are_held_against_the_last_search(alice, quick):
    champion = make_version(parameters={"half_life_days": 30})
    promote(version=champion.pk)
    collect_evidence()
    assert TestEvidence.objects.get(test="M3").findings[0]["message"] == Message.NO_SEARCH

    study = TuningStudy.objects.create(
        algorithm="popularity",
        snapshot=champion.snapshot,
        space={},
        recipe="0" * 64,
        n_trials=1,
        ended_at=NOW,
        difference={"mean": 0.02, "low": 0.01, "high": 0.03},
    )
    trial = TuningTrial.objects.create(
        study=study, number=0, status="finished", parameters={"half_life_days": 7}, ndcg=0.3, seconds=1
    )
    collect_evidence()
    assert not TestEvidence.objects.get(test="M3").passed

    TuningTrial.objects.filter(pk=trial.pk).update(parameters={"half_life_days": 30})
    collect_evidence()
    assert TestEvidence.objects.get(test="M3").passed


def make_measured(latency: float):
    figures = FIGURES | {"smoke_test": {"checks": {}, "latency_ms": latency, "memory_mb": 100}}
    return make_version(figures=figures)


@pytest.mark.ml_test("Mo6")
@pytest.mark.parametrize(("latency", "passed"), [(26.0, True), (31.0, False)])
def test_a_champion_that_costs_a_quarter_more_is_found(alice, quick, latency, passed):
    for usual in (20.0, 19.0, 21.0):
        make_measured(usual)
    promote(version=make_measured(latency).pk)

    collect_evidence()

    assert TestEvidence.objects.get(test="Mo6").passed is passed


def test_online_metrics_are_evidence_only_if_ratings_were_scored(alice, quick):
    version = make_version()
    promote(version=version.pk)
    beat_heartbeat()
    collect_task()
    assert {row.test: row.passed for row in TestEvidence.objects.filter(test__in=["Mo4", "Mo7"])} == {
        "Mo4": True,
        "Mo7": False,
    }

    OnlineMetrics.objects.create(version=version, day=NOW.date(), n=5, hits=1)
    collect_evidence()

    assert TestEvidence.objects.get(test="Mo7").passed


@pytest.mark.ml_test("M2")
@pytest.mark.parametrize(("online", "passed"), [([1, 2, 3, 4], True), ([4, 3, 2, 1], False)])
def test_offline_and_live_quality_have_to_rank_versions_alike(alice, quick, online, passed):
    for ndcg, gain in zip([0.1, 0.2, 0.3, 0.4], online, strict=True):
        figures = FIGURES | {"models": {"candidate": {"summary": {"ndcg": ndcg}}}}
        version = make_version(figures=figures)
        OnlineMetrics.objects.create(version=version, day=NOW.date(), n=100, ndcg_sum=gain)

    collect_evidence()

    assert TestEvidence.objects.get(test="M2").passed is passed


@pytest.fixture
def evidence_file(tmp_path) -> Path:
    tests = {"D7": {"passed": ["tests/a.py::test_one"], "failed": []}, "I2": {"passed": [], "failed": ["tests/b.py"]}}
    content = {"suite": "embedded", "automatic": True, "revision": "abc", "ran_at": NOW.isoformat(), "tests": tests}
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(content))
    return path


def test_what_the_suite_showed_is_recorded_by_the_command(evidence_file, capsys):
    call_command("record_evidence", str(evidence_file))

    assert "evidence for 2 of the 28 tests" in capsys.readouterr().out
    assert (points()["D7"], points()["I2"]) == (1.0, 0.0)
    assert TestEvidence.objects.get(test="D7").revision == "abc"
    assert missing("I2") == [Missing.FAILED]
    assert TestEvidence.objects.get(test="I2").findings[0]["params"] == {"tests": ["tests/b.py"]}


@pytest.mark.parametrize(
    "change",
    [
        {"ran_at": "yesterday"},
        {"ran_at": "2126-01-01T00:00:00+00:00"},
        {"tests": {"D9": {"passed": [], "failed": []}}},
        {"tests": []},
        {"suite": None, "automatic": None, "revision": None, "tests": {"D7": {}}},
    ],
)
def test_a_file_of_something_else_is_refused_whole(evidence_file, change):
    evidence_file.write_text(json.dumps(json.loads(evidence_file.read_text()) | change))

    with pytest.raises(CommandError, match=r"expected"):
        call_command("record_evidence", str(evidence_file))
    assert not TestEvidence.objects.exists()


@pytest.mark.wording
def test_the_command_shows_each_section_and_what_is_missing(capsys):
    record("D7", "pytest", check())

    call_command("ml_test_score")

    said = capsys.readouterr().out
    assert "Data: 1 of 7" in said
    assert "D7   1    All input feature code is tested\n" in said
    assert "D4   0    Features adhere to meta-level requirements  (no check by the test suite)" in said
    assert "Score: 0 (the lowest section)" in said


def test_the_suite_writes_what_marked_tests_showed(tmp_path, evidence_file):
    """The plugin, in a run of its own."""
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "@pytest.mark.ml_test('D7', 'I2')\ndef test_good(): pass\n"
        "@pytest.mark.ml_test('D7')\ndef test_bad(): assert False\n"
        "@pytest.mark.ml_test('I5')\ndef test_left_out(): pytest.skip()\n"
        "def test_unmarked(): pass\n"
    )
    out = tmp_path / "written.json"
    options = ["-c", "/dev/null", "-o", "markers=ml_test", "-p", "tests.evidence", "--evidence", str(out)]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, "--rootdir", str(tmp_path), str(tmp_path / "test_marked.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "CI": "1"},
    )

    written = json.loads(out.read_text())
    assert written["tests"] == {
        "D7": {"passed": ["test_marked.py::test_good"], "failed": ["test_marked.py::test_bad"]},
        "I2": {"passed": ["test_marked.py::test_good"], "failed": []},
    }
    assert written["automatic"] is True
    assert written["tree"] == tree_hash()
    assert record_evidence(out) == 2


@pytest.mark.wording
def test_evidence_is_explained_in_sentences():
    details = Finding("cost.fit_seconds", Outcome.FAILED, 90.0, 30.0)
    params = {"version": 7, "n": 5}
    costs = Finding(EvidenceCode.COSTS, Outcome.FAILED, params=params, message=Message.GROWN)

    row = record("Mo6", "beat", costs, details)

    assert row.title == "cost of the champion compared with earlier versions"
    assert row.detail == "Version 7 costs more than the 5 versions before it. fit, s: 90; 30 before."
