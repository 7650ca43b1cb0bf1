"""The scripts that GitHub Actions runs, against stand-ins on the loopback, and what the workflows must hold to."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from tests.processes import ROOT

sys.path.append(str(ROOT / "deploy"))  # last: gunicorn.py there is not the package
from rehearsal.stand_ins import Container, Render  # deploy/ is no package
from rehearsal.workflow import evaluate, filled

pytestmark = pytest.mark.once
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


class Nothing(Container):
    def __init__(self) -> None:
        self.n_starts = 0

    def start(self) -> None:
        self.n_starts += 1


@pytest.fixture
def render() -> Iterator[Render]:
    made = Render(Nothing(), "key")
    yield made
    made.server.shutdown()
    made.server.server_close()


def call(render: Render, *arguments: str, key: str = "key", services: str = "srv-a") -> subprocess.CompletedProcess:
    own = {"RENDER_API_URL": render.address, "RENDER_API_KEY": key, "RENDER_SERVICES": services}
    command = [sys.executable, "deploy/render", *arguments]
    values = os.environ | own | {"RENDER_POLL_SECONDS": "0"}
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False, timeout=60)


def test_each_service_is_deployed_and_waited_for(render):
    done = call(render, "deploy", "abc", services="srv-a srv-b")

    assert (done.returncode, render.container.n_starts) == (0, 2), done.stderr
    assert [body for method, _, body in render.calls if method == "POST"] == [{"commitId": "abc"}] * 2
    assert call(render, "deploy", "def").returncode == 0  # answered by 202 without a body
    assert [deploy["status"] for deploy in render.deploys["srv-a"]] == ["live", "deactivated"]


def test_the_code_before_comes_back(render):
    for commit in ("abc", "def"):
        call(render, "deploy", commit)

    done = call(render, "rollback")

    assert done.returncode == 0, done.stderr
    path, body = next(row[1:] for row in reversed(render.calls) if row[0] == "POST")
    assert (path, body) == ("/v1/services/srv-a/rollback", {"deployId": "dep-0"})
    assert render.deploys["srv-a"][0]["status"] == "live"


def test_failures_end_with_code_1(render):
    assert call(render, "deploy", "abc", key="another").returncode == 1
    assert call(render, "rollback").returncode == 1  # there is nothing before
    render.failing = "build_failed"
    assert call(render, "deploy", "abc").returncode == 1
    assert render.container.n_starts == 0


@pytest.mark.parametrize("arguments", [(), ("deploy",), ("rollback", "now"), ("destroy",)])
def test_wrong_calls_end_with_code_2(render, arguments):
    assert call(render, *arguments).returncode == 2
    assert render.calls == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_and_keep_no_credentials(file):
    steps = [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if "uses" in step]

    assert [step["uses"] for step in used if not PINNED.fullmatch(step["uses"])] == []
    checkouts = [step for step in used if step["uses"].startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


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
