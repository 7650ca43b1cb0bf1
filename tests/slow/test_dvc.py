"""The pipeline reproduced by DVC, with our dvc.yaml and commands on the test's database."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from catalog.models import Movie, Rating, User
from mlops.models import DatasetSnapshot, ModelVersion
from mlops.training.job import TrainingOutcome
from tests.processes import BIN, ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(900)]


@pytest.fixture
def project(rated_site, tmp_path: Path) -> Path:
    """The code of this work tree elsewhere, so that nothing is written into it."""
    folder = tmp_path / "project"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", ":!docs", ":!tests", ":!benchmarks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(BIN.parent)
    shutil.copyfile(rated_site, folder / "config.yaml")
    return folder


def repro(project: Path) -> list[str]:
    """The stages that ran."""
    return re.findall(r"^Running stage '(\w+)'", dvc(project, "repro"), re.MULTILINE)


def dvc(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [BIN / "dvc", *arguments],
        cwd=project,
        env=environment(CONFIG_FILE=str(project / "config.yaml")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_did_not_change_is_skipped_and_a_new_rating_is_not(project):
    assert repro(project) == ["export", "validate", "train", "evaluate"]
    outs = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    (version,) = ModelVersion.objects.all()
    assert version.status == "champion"
    assert '"decision": "passed"' in (project / "var" / "dvc" / "evaluation.json").read_text()

    assert repro(project) == ["export"]

    again = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    assert again == outs
    assert (DatasetSnapshot.objects.count(), ModelVersion.objects.count()) == (1, 1)

    user, movie = User.objects.first(), Movie.objects.exclude(ratings__user=User.objects.first()).first()
    Rating.objects.create(user=user, movie=movie, rating=4.0, rated_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert repro(project) == ["export", "validate", "train", "evaluate"]
    assert DatasetSnapshot.objects.count() == 2


def test_a_refused_model_is_a_result(project):
    config = project / "config.yaml"
    policy = yaml.safe_load(config.read_text())
    policy["gate"]["max_rmse"] = 0.001
    config.write_text(yaml.safe_dump(policy))

    assert repro(project) == ["export", "validate", "train", "evaluate"]

    (version,) = ModelVersion.objects.all()
    assert (version.status, version.run.outcome) == ("refused", TrainingOutcome.GATE_REFUSED)
    assert version.decisions.count() == 2  # of the training and of evaluate
    found = json.loads((project / "var" / "dvc" / "evaluation.json").read_text())
    assert (found["decision"], found["failed"]) == ("refused", "gate.rmse")
    shown = json.loads(dvc(project, "metrics", "show", "--json"))
    assert shown[""]["data"]["var/dvc/evaluation.json"]["data"] == found
    lock = (project / "dvc.lock").read_bytes()

    assert repro(project) == ["export"]

    assert (project / "dvc.lock").read_bytes() == lock
    assert ModelVersion.objects.count() == 1
