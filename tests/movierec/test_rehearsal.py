"""The workflow syntax supported by deploy/rehearse."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT

sys.path.append(str(ROOT / "deploy"))  # last: gunicorn.py there is not the package
from rehearsal.workflow import FAILURE, SKIPPED, SUCCESS, Runner, evaluate, filled  # deploy/ is no package

pytestmark = pytest.mark.once
RELEASE = """
jobs:
  ci: {uses: ./.github/workflows/ci.yml}
  image:
    needs: ci
    steps:
      - {uses: actions/checkout@1, with: {persist-credentials: false}}
      - {id: name, run: 'echo "image=${NAME,,}" >> "$GITHUB_OUTPUT"'}
      - {uses: build@1, with: {target: web, tags: "${{ steps.name.outputs.image }}:1"}}
      - {run: touch "$DONE"}
  after:
    needs: image
    steps: []
"""


@pytest.mark.parametrize("is_built", [True, False])
def test_a_rehearsal_does_actions_that_it_knows_as_steps(tmp_path, is_built):
    (tmp_path / "release.yml").write_text(RELEASE)
    given, done = list[dict[str, str]](), tmp_path / "done"

    def build(values: Any, folder: Path) -> bool:
        assert (folder / "Dockerfile").is_file()
        given.append(dict(values))
        return is_built

    own = {"NAME": "Ghcr.io/Ada", "DONE": str(done), "PATH": os.environ["PATH"]}
    results = Runner(tmp_path / "release.yml", {}, own, tmp_path / "jobs", {"build": build}).run()

    assert given == [{"target": "web", "tags": "ghcr.io/ada:1"}]
    ending = (SUCCESS, SUCCESS) if is_built else (FAILURE, SKIPPED)
    assert (results["ci"], done.exists()) == (SUCCESS, is_built)
    assert (results["image"], results["after"]) == ending


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("vars.A == 'x'", True),
        ("vars.B != ''", False),
        ("vars.B || vars.A", "x"),
        ("vars.A == 'y' || vars.A == 'x' && vars.B == ''", True),
        ("always()", True),
        ("failure()", False),
    ],
)
def test_expressions_mean_what_they_mean_at_github(expression, value):
    assert evaluate(expression, {"vars": {"A": "x"}}) == value
    assert filled("a ${{ vars.A }} b ${{ vars.B }}", {"vars": {"A": "x"}}) == "a x b "
