"""Full disks, killed processes and lost files. A backup is complete or absent, and a failed restore changes nothing."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.models import User
from mlops.backup import create
from mlops.backup.checksums import write_checksums
from mlops.backup.restore import verify_backup
from mlops.backup.stores import open_store
from mlops.backup.workspace import workspace
from mlops.errors import BackupError
from mlops.models import Alert
from mlops.services import create_backup
from recommender.estimators.artifact_files import sha256
from tests.artefact_files import flip_bit, overwrite
from tests.processes import ROOT, environment

pytestmark = pytest.mark.once

Usage = namedtuple("Usage", "total used free")
KILLED = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from mlops.backup import create, restore, writer
place, name, *arguments = sys.argv[1:]
def killed(*arguments, **options): os.kill(os.getpid(), signal.SIGKILL)
setattr({"create": create, "restore": restore, "files": writer.BackupWriter}[place], name, killed)
call_command(*arguments)
"""


def killed_at(place: str, name: str, *arguments: str) -> None:
    """Runs a command in a process that is killed where it calls the function."""
    command = [sys.executable, "-c", KILLED, place, name, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def restore_all(backups: Path) -> None:
    """All but the last step succeeds: the champion of these tests was not made from its snapshot."""
    with pytest.raises(CommandError, match=r"^Restored, but version .* learnt_from_the_snapshot"):
        call_command("restore", str(backups), "--force")


@pytest.fixture
def backups(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def files(settings):
    """Everything below the site's folders of files, with its content."""

    def read() -> dict[Path, bytes]:
        roots = (settings.MODEL_DIR, settings.SNAPSHOT_DIR)
        return {path: path.read_bytes() for root in roots for path in Path(root).rglob("*") if path.is_file()}

    return read


def test_a_full_disk_is_said_before_anything_is_copied(champion_site, backups, monkeypatch, files):
    made, before = create_backup(str(backups)), files()
    monkeypatch.setattr("mlops.backup.workspace.shutil.disk_usage", lambda path: Usage(0, 0, 1000))

    for command in (["backup", str(backups)], ["restore", str(backups), "--force"]):
        with pytest.raises(CommandError, match=r"lacks \d+\.\d MB: \d+\.\d MB are needed, 0\.0 MB are free"):
            call_command(*command)

    assert [path.name for path in backups.iterdir()] == [Path(made.address).name]
    assert files() == before


@pytest.mark.parametrize("n", [1, 4])
def test_a_disk_that_fills_up_leaves_all_as_it_was(champion_site, backups, monkeypatch, files, n):
    made, before = create_backup(str(backups)), files()
    User.objects.create(username="since then")
    copied, copy = [], shutil.copyfile

    def full(source, target):
        copied.append(source)
        if len(copied) > n:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return copy(source, target)

    for command in (["backup", str(backups)], ["restore", str(backups), "--force"]):
        copied.clear()
        with monkeypatch.context() as patch, pytest.raises(CommandError, match="No space left on device"):
            patch.setattr(shutil, "copyfile", full)
            call_command(*command)

    assert [path.name for path in backups.iterdir()] == [Path(made.address).name]
    assert files() == before
    assert User.objects.filter(username="since then").exists()


def test_a_killed_backup_is_none(champion_site, backups):
    made = create_backup(str(backups)).address

    killed_at("files", "finish", "backup", str(backups))

    assert len(list(backups.iterdir())) == 2
    assert verify_backup(str(backups)) == (made, True)
    assert open_store(str(backups)).names() == [Path(made).name]


@pytest.mark.parametrize("at", ["load", "place_artifact"])
def test_a_killed_restore_changes_nothing_and_can_be_repeated(champion_site, backups, files, at):
    before = files()
    create_backup(str(backups))
    User.objects.create(username="since then")

    killed_at("restore", at, "restore", str(backups), "--force")

    assert User.objects.filter(username="since then").exists()
    assert {path: content for path, content in files().items() if ".part/" not in str(path)} == before
    restore_all(backups)
    assert not User.objects.filter(username="since then").exists()


@pytest.mark.parametrize("has_links", [True, False])
def test_a_database_that_cannot_be_loaded_leaves_the_models(
    champion_site, backups, files, settings, monkeypatch, has_links
):
    """Those of a site with another history have the same names."""
    create_backup(str(backups))
    flip_bit(next((settings.MODEL_DIR / champion_site.artifact).glob("*.npy")))
    before = files()

    def fails(file: Path) -> None:
        assert files() != before
        raise BackupError("may not drop tables")

    def refuses(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch, pytest.raises(CommandError, match="may not drop tables"):
        patch.setattr("mlops.backup.restore.load", fails)
        if not has_links:
            patch.setattr("os.link", refuses)
        call_command("restore", str(backups), "--force")

    assert files() == before
    restore_all(backups)
    assert files() != before


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_is_said(backups, monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", lambda: [])

    with pytest.raises(BackupError, match="has no tables: expected one that is migrated"):
        create_backup(str(backups))


def test_restored_models_are_read_only(champion_site, backups, settings):
    folder = settings.MODEL_DIR / champion_site.artifact
    create_backup(str(backups))
    for path in next(backups.rglob("models")).rglob("*.*"):
        path.chmod(0o666)
    shutil.rmtree(folder)

    restore_all(backups)

    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o444"}


def test_incomplete_backups_keep_the_last_complete_one(champion_site, backups, change_policy, settings):
    change_policy("backup", keep=2, folder=str(backups))
    complete = create_backup().address
    array = next((settings.MODEL_DIR / champion_site.artifact).glob("*.npy"))
    whole = flip_bit(array)

    damaged = [create_backup() for _ in range(3)]

    name = f"models/{champion_site.artifact}/{array.name}"
    assert [made.damaged for made in damaged] == [[name]] * 3
    assert [made.removed for made in damaged] == [[], [], [damaged[0].address]]
    assert Path(complete).is_dir()
    assert name in Alert.objects.get(code="backup_failed", closed_at=None).findings[0]["params"]["error"]
    overwrite(array, whole)
    assert create_backup().removed == [complete, damaged[1].address]
    assert not Alert.objects.filter(code="backup_failed", closed_at=None).exists()


def test_of_two_backups_at_once_none_removes_the_other(champion_site, backups, change_policy):
    first, second = (Path(create_backup(str(backups)).address).name for _ in range(2))
    change_policy("backup", keep=1)
    store = open_store(str(backups))

    assert create._prune(store, first) == []
    assert create._prune(store, second) == [store.address(first)]


def test_a_workspace_that_goes_meanwhile_is_no_fault(tmp_path, monkeypatch):
    """Another process ends between the list of its folders and a look at them."""
    monkeypatch.setattr(Path, "glob", lambda *arguments: [tmp_path / ".movierec-1.part"])

    with workspace(tmp_path) as folder:
        assert folder.is_dir()


@pytest.mark.parametrize("fault", ["cut", "swapped", "lists of another", "no list"])
def test_each_fault_of_a_folder_is_found(champion_site, backups, fault):
    other, folder = (Path(create_backup(str(backups)).address) for _ in range(2))
    one, two = sorted(folder.rglob("*.parquet"))[:2]
    if fault == "cut":
        one.write_bytes(one.read_bytes()[:-1])
    elif fault == "swapped":
        one.rename(folder / "aside")
        two.rename(one)
        (folder / "aside").rename(two)
    elif fault == "lists of another":
        for name in ("SHA256SUMS", "SHA256SUMS.sha256"):
            shutil.copyfile(other / name, folder / name)
    else:
        (folder / "SHA256SUMS.sha256").unlink()

    with pytest.raises(BackupError, match=r"is damaged:\n.*(changed|missing)"):
        verify_backup(str(folder))
    assert verify_backup(str(other)) == (str(other), True)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"database": "x"}, r"backup\.json: missing; expected backup\.json and database"),
        ({"backup.json": "{}"}, r"database: missing; expected backup\.json and database"),
        ({"backup.json": "{", "database": "x"}, r"backup\.json: expected the description"),
        ({"backup.json": "[]", "database": "x"}, r"backup\.json: expected the description"),
        ({"backup.json": "{}", "database": "x"}, "has format None; this version reads 1"),
        ({"backup.json": '{"format": 1}', "database": "x"}, r"backup\.json: expected version, .*; version is missing"),
        ({"backup.json": '{"format": 2}', "database": "x"}, "has format 2; this version reads 1"),
    ],
)
def test_a_folder_of_another_program_is_refused(db, tmp_path, files, said):
    """Its checksums agree."""
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    write_checksums(tmp_path, {name: sha256(tmp_path / name) for name in files})

    with pytest.raises(CommandError, match=said):
        call_command("restore", str(tmp_path))
