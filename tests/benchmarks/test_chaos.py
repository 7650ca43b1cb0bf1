"""Parts of the chaos tests; the full run starts a whole site and takes minutes."""

import pytest

from benchmarks.chaos.__main__ import pairs, read_options
from benchmarks.chaos.breakpoints import INJECTION_POINTS
from benchmarks.chaos.faults import Outcome
from benchmarks.chaos.installation import TARGETS
from benchmarks.chaos.load_generator import Answer
from benchmarks.chaos.policy import merged
from mlops.management.commands.train_model import STEPS


def test_every_step_of_a_training_has_an_injection_point():
    assert {point.step for point in INJECTION_POINTS.values()} - {""} == set(STEPS)


def test_every_combination_runs_by_default():
    assert len(pairs(read_options([]))) == len(TARGETS) * len(INJECTION_POINTS)
    assert pairs(read_options(["--targets", "redis", "--steps", "fit", "gate"])) == [
        ("redis", "fit"),
        ("redis", "gate"),
    ]
    brief = pairs(read_options(["--brief", "--steps", "fit", "gate"]))
    assert [target for target, _ in brief] == list(TARGETS)
    assert [point for _, point in brief][:3] == ["fit", "gate", "fit"]


def test_an_unknown_step_is_refused(capsys):
    with pytest.raises(SystemExit):
        read_options(["--steps", "lunch"])
    assert "lunch" in capsys.readouterr().err


def test_a_row_names_the_violations():
    answers = [Answer(0.0, 200, 0.1, "GET /"), Answer(1.0, 500, 0.4, "GET /"), Answer(2.0, 0, 15.0, "GET /")]
    good = Outcome("beat", "fit", status="succeeded", attempts=1, answers=answers).row()
    bad = Outcome("beat", "fit", problems=["2 versions are the champion"]).row()

    assert (good["result"], good["requests"], good["failed"], good["slowest s"]) == ("ok", 3, 2, 15.0)
    assert bad["result"] == "FAILED: 2 versions are the champion"


def test_policy_changes_are_merged():
    assert merged({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}, "b": {"z": 3}}) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
