"""A release's CI results count only for exactly its code."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from mlops.evaluation.lineage import CODE, PINS, RELEASE_CI, ROOT, tree_hash
from mlops.models import TestEvidence
from mlops.test_score import suites
from mlops.test_score.score import ml_test_score
from mlops.test_score.suites import release_evidence
from tests.source_tree import tracked

SHOWN = {"D7": {"passed": ["tests/a.py::test_one"], "failed": []}, "M4": {"passed": ["tests/b.py::test"], "failed": []}}
Ship = Callable[..., Path]


@pytest.fixture
def image(tmp_path) -> Path:
    """The code as an image holds it: the files that git tracks, without git."""
    for file in tracked(*CODE):
        target = tmp_path / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path


@pytest.fixture
def ship(image, monkeypatch) -> Ship:
    """Puts the file of a CI run into the image, which becomes this site's code."""
    monkeypatch.setattr(suites, "ROOT", image)

    def write(**changes: Any) -> Path:
        run = {"suite": "embedded", "automatic": True, "revision": "abc", "ran_at": datetime.now(UTC).isoformat()}
        file = image / RELEASE_CI / "embedded.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(run | {"tests": SHOWN, "tree": tree_hash(image)} | changes), encoding="utf-8")
        return file

    return write


def points(test: str) -> float:
    return next(found.points for part in ml_test_score().sections for found in part.tests if found.test.id == test)


def test_a_copy_without_git_has_the_hash_of_the_checkout(image):
    assert tree_hash(image) == tree_hash()


def test_what_is_no_code_leaves_the_hash(image):
    before = tree_hash(image)
    for name in (
        "mlops/__pycache__/x.pyc",
        "mlops/.cache/x",
        "docs/x.md",
        "var/db.sqlite3",
        str(RELEASE_CI / "x.json"),
    ):
        (image / name).parent.mkdir(parents=True, exist_ok=True)
        (image / name).write_text("x", encoding="utf-8")

    assert tree_hash(image) == before


@pytest.mark.parametrize("change", ["changed", "added", "removed", "renamed"])
def test_any_other_code_has_another_hash(image, change):
    before, file = tree_hash(image), image / "mlops" / "gate" / "rules.py"
    if change == "changed":
        file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    elif change == "added":
        file.with_name("more_rules.py").touch()
    elif change == "removed":
        file.unlink()
    else:
        file.rename(file.with_name("other_rules.py"))

    assert tree_hash(image) != before


@pytest.mark.parametrize("pins", PINS)
def test_other_pins_have_another_hash(image, pins):
    before = tree_hash(image)
    (image / pins).open("a", encoding="utf-8").write("one-more==1.0\n")

    assert tree_hash(image) != before


def test_the_pins_are_those_of_the_site(image):
    included = {
        line.removeprefix("-r ") for pins in PINS for line in (image / pins).read_text().splitlines() if "-r " in line
    }
    assert included < set(PINS)


def test_metrics_hash_the_code_once(db, ship, monkeypatch):
    ship()
    hashed = []
    monkeypatch.setattr(suites, "tree_hash", lambda root: hashed.append(root) or tree_hash(root))

    assert [points("D7"), points("D7")] == [1.0, 1.0]
    assert len(hashed) == 1


@pytest.mark.wording
def test_a_new_site_begins_with_what_ci_showed_about_it(db, ship, client, sam, capsys):
    ship()

    assert (points("D7"), points("M4"), points("D4")) == (1.0, 0.5, 0.0)
    assert not TestEvidence.objects.exists()
    call_command("ml_test_score")
    assert "D7   1    All input feature code is tested  [release CI]" in capsys.readouterr().out
    client.force_login(sam)
    assert client.get("/mlops/?tab=score").content.decode().count(">release CI</span>") == 2


def test_changed_code_shows_none_of_it(db, ship, image):
    ship()
    (image / "catalog" / "text.py").open("a", encoding="utf-8").write("# mended\n")

    assert release_evidence() == []
    assert points("D7") == 0.0


@pytest.mark.parametrize("changes", [{"tree": ""}, {"automatic": False}, {"tests": None}, {"ran_at": "yesterday"}])
def test_files_that_are_not_of_ci_show_nothing(db, ship, changes):
    ship(**changes)

    assert points("D7") == 0.0


def test_it_grows_old_like_all_evidence(db, ship):
    ship(ran_at=(datetime.now(UTC) - timedelta(days=31)).isoformat())

    assert points("D7") == 0.5


def test_what_failed_counts_against_it(db, ship):
    ship(tests={"D7": {"passed": [], "failed": ["tests/a.py::test_one"]}})

    assert points("D7") == 0.0
