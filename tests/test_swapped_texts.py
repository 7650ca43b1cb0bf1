import pytest
from django.core.validators import MaxValueValidator, ValidationError
from django.utils.translation import gettext_lazy, ngettext

from mlops.findings import Finding, Outcome
from mlops.gate.codes import Message, Rule
from tests.swapped_texts import swapped, swapped_texts

pytestmark = pytest.mark.wording  # these tests swap the texts themselves


def test_every_kind_of_message_comes_out_in_other_words():
    lazy = gettext_lazy("Yes")
    with swapped_texts():
        assert (str(lazy), ngettext("%(n)d row", "%(n)d rows", 2) % {"n": 2}) == ("Lrf", "2 ebjf")
    assert str(lazy) == "Yes"


def test_findings_are_put_in_other_words():
    finding = Finding(Rule.COVERAGE, Outcome.FAILED, 0.25, 0.27, message=Message.AT_LEAST)
    sentence = finding.sentence
    with swapped_texts():
        assert finding.sentence != sentence
        assert {"0.25", "0.27"} <= set(finding.sentence.replace(";", "").split())


def test_validators_keep_their_figures():
    with swapped_texts():
        try:
            MaxValueValidator(7)(8)
        except ValidationError as error:
            assert "7" in error.messages[0]


def test_placeholders_and_tags_stay():
    assert (
        swapped("%(name)s, {figure:.4g} <b>of</b> %.100r %s &amp;")
        == "%(name)s, {figure:.4g} <b>bs</b> %.100r %s &amp;"
    )
