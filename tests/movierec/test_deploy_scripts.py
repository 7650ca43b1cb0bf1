"""Runs the scripts of GitHub Actions against local stand-ins, and checks the workflows."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.models import Rating, User
from mlops.models import ModelVersion
from mlops.registry.promotion import promote
from recommender.models import ServedModel
from tests.factories import MovieFactory, RatingFactory
from tests.mlops.site import make_version
from tests.processes import ROOT, put_stand_ins

sys.path.append(str(ROOT / "deploy"))  # last: gunicorn.py there is not the package
from rehearsal.stand_ins import Container, Render  # deploy/ is no package

pytestmark = pytest.mark.once
FAKES = {
    "ssh": 'exec bash -c "${!#}"',
    "git": '[ "$1" != rev-parse ] || echo former',
    "docker": """
echo "$*${CODE_REVISION:+ of $CODE_REVISION}" >>"$CALLS"
cat >/dev/null  # compose keeps stdin open and reads it
case "$*" in *migrate | *setup_link*) echo "https://films.example.org/setup/?code=$CODE" ;; esac
case "$*" in *"$FAILING"*) exit 1 ;; esac""",
}
CODE = "of-the-first-run"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ASSIGNED = re.compile(r"\w+=(\$\(.*\)|\"\$\(.*\)\")")
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


@pytest.mark.parametrize("store", ["", "s3://models"])
@pytest.mark.parametrize(("service", "program"), [("web", "gunicorn"), ("worker", "celery")])
def test_who_needs_files_fetches_them_even_if_the_store_fails(tmp_path, service, program, store):
    fakes = {"python": 'echo "$*" >>"$CALLS"; exit 1', program: f'echo {program} >>"$CALLS"'}
    own = put_stand_ins(tmp_path, fakes) | {"MODEL_STORE": store}

    subprocess.run(["deploy/entrypoint", service], cwd=ROOT, env=os.environ | own, check=True, timeout=60)

    fetched = ["manage.py fetch_models"] if store else []
    assert (tmp_path / "calls").read_text().splitlines() == [*fetched, program]


def over_ssh(folder: Path, *arguments: str, failing: str = "nothing") -> tuple[int, list[str]]:
    """Its exit code and the calls of docker on the host."""
    own = {"DEPLOY_HOST": "deploy@host", "DEPLOY_PATH": str(folder), "SSH_KEY": "key", "SSH_KNOWN_HOSTS": "hosts"}
    own |= put_stand_ins(folder, FAKES) | {"FAILING": failing, "CODE": CODE}
    (folder / "deploy").symlink_to(ROOT / "deploy")
    done = subprocess.run(
        ["deploy/over-ssh", *arguments],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert CODE not in done.stdout + done.stderr  # which Actions shows to all readers of its log
    return done.returncode, (folder / "calls").read_text().splitlines()


def test_a_host_takes_every_step_of_a_deploy(tmp_path):
    code, calls = over_ssh(tmp_path, "deploy", "abc", "s3://models/a package")

    assert code == 0
    alone = "run --rm -T --no-deps"  # touches no service that serves
    steps = [
        "build web worker",
        f"{alone} migrate",
        f"{alone} training python manage.py import_model",
        "up --detach --wait",
        "exec -T web python manage.py setup_link --if-open",
    ]
    assert [call.startswith(f"compose {step}") for call, step in zip(calls, steps, strict=True)] == [True] * 5


def test_an_image_of_older_layers_has_its_own_revision():
    """Podman compares the values that a RUN is given, not those of ENV (containers/buildah#5501)."""
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    known = re.findall(r'ARG CODE_REVISION=\nRUN : "\$CODE_REVISION"\nENV CODE_REVISION=\$CODE_REVISION\n', image)

    assert len(known) == image.count("ENV CODE_REVISION=") == 2


def test_a_refused_model_restores_the_previous_code(tmp_path):
    code, calls = over_ssh(tmp_path, "deploy", "abc", "s3://models/package", failing="import_model")

    assert code == 1
    assert len(calls) == 4 and "import_model" in calls[2]
    assert (calls[0], calls[3]) == ("compose build web worker of abc", "compose build web worker of former")


def test_a_host_rolls_back_with_the_reason(tmp_path):
    code, calls = over_ssh(tmp_path, "rollback", "7", "it's slow")

    assert code == 0
    assert [call.partition("rollback_model ")[2] for call in calls] == ["--to 7 --reason it's slow"]


def serves(address: str, *options: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "deploy/serves", address, *map(str, options)]
    values = os.environ | {"SERVES_SECONDS": "2"}
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def champion(transactional_db) -> ModelVersion:
    """Of a site with movies and a few ratings; the one before it is a former champion."""
    movies = MovieFactory.create_batch(6)
    for movie in movies:
        RatingFactory.create_batch(3, movie=movie)
    versions = [make_version(), make_version()]
    for version in versions:
        promote(version=version.pk)
    return versions[-1]


def test_a_site_is_looked_at_without_a_trace(live_server, champion):
    before = [list(model.objects.order_by("pk").values()) for model in (User, Rating)]

    done = serves(live_server.url, "--version", champion.pk, "--steady", 1)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"version {champion.pk}" in done.stdout
    assert [list(model.objects.order_by("pk").values()) for model in (User, Rating)] == before


def test_another_champion_or_one_without_files_is_told(live_server, champion):
    assert serves(live_server.url, "--version", champion.pk + 1).returncode == 1
    ServedModel.objects.update(version=champion.pk + 1, artifact="gone")
    assert serves(live_server.url).returncode == 1


def test_who_signs_up_to_look_leaves_no_rating(live_server, champion):
    before = Rating.objects.count()

    done = serves(live_server.url, "--sign-up")

    assert (done.returncode, done.stderr) == (0, "")
    assert User.objects.filter(username__startswith="smoke-").count() == 1
    assert Rating.objects.count() == before


def workflow(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text()))


def test_a_rollback_waits_for_no_deploy():
    deploy, rollback = workflow("deploy"), workflow("rollback")
    groups = {name: job.get("concurrency") for name, job in deploy["jobs"].items()}
    one_deploy = {"group": "deploy", "cancel-in-progress": False}

    assert "concurrency" not in deploy
    assert groups == {"train": None, "render": one_deploy, "ssh": one_deploy}
    assert rollback["concurrency"] == {"group": "rollback", "cancel-in-progress": False}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_no_command_fails_unnoticed_inside_of_another(file):
    """Bash goes on where a $(command) among arguments fails, but not where its output is assigned."""
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    lines = [line for job in jobs for step in job.get("steps", ()) for line in step.get("run", "").splitlines()]

    assert [line for line in lines if re.search(r"\$\(", line) and not ASSIGNED.fullmatch(line.strip())] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_and_keep_no_credentials(file):
    steps = [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job.get("steps", ())]
    used = [step for step in steps if "uses" in step]

    assert [step["uses"] for step in used if not PINNED.fullmatch(step["uses"])] == []
    checkouts = [step for step in used if step["uses"].startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)
