"""The pipeline as DVC repeats it: our dvc.yaml, our commands, the test's own database."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from catalog.models import Movie, Rating, User
from mlops.models import DatasetSnapshot, ModelVersion
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
    done = subprocess.run(
        [BIN / "dvc", "repro"],
        cwd=project,
        env=environment(CONFIG_FILE=str(project / "config.yaml")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^Running stage '(\w+)'", done.stdout, re.MULTILINE)


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
