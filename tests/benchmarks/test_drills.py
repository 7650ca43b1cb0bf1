"""The drill's own parts; the whole of it starts an installation and takes minutes."""

import pytest

from benchmarks.drills.__main__ import pairs, read_options
from benchmarks.drills.drill import VICTIMS, Outcome
from benchmarks.drills.holds import MOMENTS
from benchmarks.drills.site import merged
from benchmarks.drills.visitors import Answer
from mlops.management.commands.train_model import STEPS


def test_every_step_of_a_training_is_struck():
    assert {moment.step for moment in MOMENTS.values()} - {""} == set(STEPS)


def test_all_of_them_are_struck_unless_a_part_is_asked_for():
    assert len(pairs(read_options([]))) == len(VICTIMS) * len(MOMENTS)
    assert pairs(read_options(["--victims", "redis", "--steps", "fit", "gate"])) == [
        ("redis", "fit"),
        ("redis", "gate"),
    ]
    brief = pairs(read_options(["--brief", "--steps", "fit", "gate"]))
    assert [victim for victim, _ in brief] == list(VICTIMS)
    assert [moment for _, moment in brief][:3] == ["fit", "gate", "fit"]


def test_a_step_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        read_options(["--steps", "lunch"])
    assert "lunch" in capsys.readouterr().err


def test_a_row_says_what_did_not_hold():
    answers = [Answer(0.0, 200, 0.1, "GET /"), Answer(1.0, 500, 0.4, "GET /"), Answer(2.0, 0, 15.0, "GET /")]
    good = Outcome("beat", "fit", status="succeeded", attempts=1, answers=answers).row()
    bad = Outcome("beat", "fit", problems=["2 versions are the champion"]).row()

    assert (good["holds"], good["requests"], good["not 200"], good["slowest s"]) == ("yes", 3, 2, 15.0)
    assert bad["holds"] == "NO: 2 versions are the champion"


def test_changes_of_policy_are_laid_over_each_other():
    assert merged({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}, "b": {"z": 3}}) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
