"""Rows written before there were codes, as ff2ac02 wrote them: migrations turn their sentences into codes."""

import json
import re
from pathlib import Path

import pytest

from mlops.findings import LEGACY, Finding, Outcome
from mlops.gate.codes import Message, Rule
from mlops.migrations._old_rules import with_code
from mlops.registry.codes import FAILED, FAILED_WITH_ERROR, SmokeCheck

RULES = json.loads((Path(__file__).parent / "gate_rules_of_ff2ac02.json").read_text(encoding="utf-8"))
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
