import json

import pytest
from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from mlops import findings
from mlops.findings import LEGACY, Finding, Outcome, register, title


class Code(TextChoices):
    HEAT = "test.heat", "heat of {room}"
    NOISE = "test.noise", "noise"


TOO_FEW = "test.too_few"


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(findings, "_titles", dict(findings._titles))
    monkeypatch.setattr(findings, "_sentences", dict(findings._sentences))
    register(
        Code,
        {
            Code.HEAT: "{title}: {figure:.1f} of {threshold:g}, from {low:g} to {high:g}, {rooms}",
            TOO_FEW: "{title}: {n} values",
        },
    )


def test_sentence_is_filled_from_the_finding():
    finding = Finding(Code.HEAT, Outcome.FAILED, 21.04, 20.0, (20.5, 22.0), {"room": "K2", "rooms": ["a", "b"]})
    assert finding.title == "heat of K2"
    assert finding.sentence == "heat of K2: 21.0 of 20, from 20.5 to 22, a, b"


def test_message_takes_the_place_of_the_codes_sentence():
    finding = Finding(Code.HEAT, Outcome.NOT_JUDGED, params={"room": "K2", "n": 3}, message=TOO_FEW)
    assert finding.sentence == "heat of K2: 3 values"


def test_code_without_a_sentence_shows_its_title():
    assert Finding(Code.NOISE, Outcome.PASSED).sentence == "noise"


def test_unknown_code_is_shown_as_it_is():
    finding = Finding("test.later", Outcome.PASSED, message="test.unknown")
    assert finding.title == finding.sentence == title("test.later") == "test.later"


def test_missing_or_odd_values_do_not_hide_the_sentence():
    finding = Finding(Code.HEAT, Outcome.PASSED, threshold="warm")
    assert finding.sentence == "heat of ?: ? of warm, from ? to ?, ?"


def test_legacy_text_is_shown_as_it_was_written():
    finding = Finding(LEGACY, Outcome.FAILED, params={"name": "old {rule}", "text": "It was {so}."})
    assert (finding.title, finding.sentence) == ("old {rule}", "It was {so}.")


def test_json_keeps_everything_and_codes_are_strings():
    finding = Finding(Code.HEAT, Outcome.FAILED, 21.0, 20.0, (20.5, 22.0), {"room": "K2"}, TOO_FEW)
    row = json.loads(json.dumps(finding.to_dict()))
    assert row["code"] == "test.heat"
    assert Finding.from_dict(row) == finding


def test_keys_of_a_later_version_are_ignored():
    assert Finding.from_dict({"code": "test.noise", "outcome": "ok", "later": 1}) == Finding(Code.NOISE, Outcome.OK)


@pytest.mark.wording
def test_sentence_is_in_the_readers_language():
    register(sentences={Code.NOISE: _("Yes")})
    finding = Finding(Code.NOISE, Outcome.OK)
    with translation.override("de"):
        assert finding.sentence == "Ja"
    assert finding.sentence == "Yes"


def test_subject_tells_findings_of_one_code_apart():
    finding = Finding(Code.HEAT, Outcome.OK, params={"room": "K2"}, subject="noon", message="test.subject")
    register(sentences={"test.subject": "{title} at {subject}"})
    assert (finding.key, Finding(Code.NOISE, Outcome.OK).key) == ("test.heat:noon", "test.noise")
    assert finding.sentence == "heat of K2 at noon"


def test_value_that_is_a_code_is_shown_by_its_title():
    finding = Finding(Code.HEAT, Outcome.OK, params={"room": Code.NOISE.value, "rooms": [Code.NOISE.value, "b"]})
    assert finding.title == "heat of noise"
    assert finding.sentence.endswith("noise, b")
