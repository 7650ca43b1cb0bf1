"""The word check, and that a commit runs the same checks as `make lint`."""

import re

import pytest
import yaml

from deploy.prose import INSTEAD, check, findings, tracked
from tests.processes import ROOT

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "text", ["It goes on.", "Nobody has it", "i.e. this", "brought  along: no\nIt is brought along"]
)
def test_a_word_is_found_with_its_place(text):
    [found] = findings("page.md", text)

    assert re.match(rf"page\.md:{len(text.splitlines())}: '.+': .+", found)


@pytest.mark.parametrize("text", ["goes_on()", "continues", "whoever  <!-- prose: keep -->", "renew", "config.etc"])
def test_other_words_pass(text):
    assert list(findings("page.md", text)) == []


def test_every_word_has_advice():
    assert all(INSTEAD.values())


def test_the_product_has_none():
    assert check(tracked()) == []


def test_a_commit_runs_what_make_lint_runs():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    commands = [line.strip().replace("@$(BIN)", ".venv/bin").removesuffix(" .") for line in lint.splitlines()]

    assert [hook["entry"].removesuffix(" --force-exclude") for hook in hooks] == commands
