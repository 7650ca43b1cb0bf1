"""Migrations convert sentences stored by ff2ac02 to codes."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from mlops.data.codes import DataProblem, RowRule
from mlops.findings import LEGACY, Finding, Outcome
from mlops.gate.codes import Message, Rule
from mlops.migrations._old_rules import with_code
from mlops.registry.codes import FAILED, FAILED_WITH_ERROR, SmokeCheck

RULES = json.loads((Path(__file__).parent / "gate_rules_of_ff2ac02.json").read_text(encoding="utf-8"))
data_codes = import_module("mlops.migrations.0011_data_codes")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_every_rule_of_the_gate_gets_its_code(rule):
    finding = Finding.from_dict(with_code(rule))

    assert finding.code in {*Rule.values, *SmokeCheck.values}
    assert finding.message in {*Message.values, FAILED, FAILED_WITH_ERROR, ""}
    assert finding.outcome in Outcome.values
    assert (finding.figure, finding.threshold) == (rule["figure"], rule["threshold"])


@pytest.mark.wording
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_sentences_of_old_rules_keep_their_numbers(rule):
    finding = Finding.from_dict(with_code(rule))

    assert "?" not in finding.sentence
    assert set(NUMBER.findall(rule["sentence"])) <= set(NUMBER.findall(finding.sentence))


def test_a_rule_with_a_code_stays_as_it_is():
    row = Finding(Rule.COVERAGE, Outcome.PASSED).to_dict()
    assert with_code(row) is row


def test_unknown_rules_and_sentences_keep_their_text():
    unknown = Finding.from_dict(with_code({"name": "of a fork", "outcome": "passed", "sentence": "Fine."}))
    assert (unknown.code, unknown.title, unknown.sentence) == (LEGACY, "of a fork", "Fine.")
    reworded = with_code({"name": "new movies", "outcome": "failed", "sentence": "It has forgotten them."})
    assert (reworded["code"], Finding.from_dict(reworded).sentence) == (Rule.NEW_MOVIES, "It has forgotten them.")


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("rated in the future", RowRule.IN_FUTURE),
        ("language is no ISO 639-1 code", RowRule.UNKNOWN_LANGUAGE),
        ("user_id: missing", "column.missing:user_id"),
        ("rating: expected dtype('float64')", "column.wrong_type:rating"),
        ("of a fork", "of a fork"),
    ],
)
def test_reasons_of_quarantined_rows_get_codes(sentence, code):
    assert data_codes.rule_code(sentence) == code


PROBLEMS = [
    "10 of 20 rows are bad, more than the allowed share of 0.001: rated in the future: 10 rows",
    "5.3% of the movies with metadata have no release date, more than the allowed 2.0% (data_checks.max_null_share in "
    "config.yaml)",
    "there are 20 ratings, less than 0.5 of the 1000 of the last snapshot that passed (data_checks.min_row_ratio in "
    "config.yaml)",
    "training matrix: an entry is not finite",
    "training matrix: 2 entries for 3 ratings",
    "of a fork",
]


def test_problems_of_snapshots_get_codes():
    report = data_codes.with_codes({"rows": 20, "rated in the future": 10, "problems": PROBLEMS})
    problems = [Finding.from_dict(row) for row in report["problems"]]

    assert {name: report[name] for name in ("rows", "rating.in_future")} == {"rows": 20, "rating.in_future": 10}
    assert [(problem.key, problem.figure, problem.threshold) for problem in problems] == [
        (DataProblem.BAD_ROWS, 0.5, 0.001),
        ("data.null_share:release_date", pytest.approx(0.053), pytest.approx(0.02)),
        ("data.shrinkage:data.ratings", 20, 500),
        (DataProblem.MATRIX_NOT_FINITE, None, None),
        (DataProblem.MATRIX_COUNT, 2, 3),
        (LEGACY, None, None),
    ]
    assert data_codes.with_codes(report) == report
    assert problems[-1].sentence == "of a fork"
