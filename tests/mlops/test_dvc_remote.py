"""Pushes data to a DVC remote, and restores it on an empty host."""

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from catalog.models import Rating
from mlops.data.snapshots import read_snapshot
from mlops.errors import DataRemoteError, NoDataRemote
from mlops.models import DatasetSnapshot, PipelineRun
from mlops.services import export_snapshot, promote, push_data, restore_data
from mlops.tasks import push_data as push_data_task
from recommender.estimators import artifact_checksum
from tests.artefact_files import flip_bit
from tests.mlops.site import make_version
from tests.processes import BIN

pytestmark = pytest.mark.once


@pytest.fixture
def remote(quick, settings, tmp_path):
    settings.DVC_DIR, settings.DVC_REMOTE_URL = tmp_path, str(tmp_path / "remote")
    return tmp_path / "remote"


def scheduled(snapshot: DatasetSnapshot, trigger: str = "scheduled") -> DatasetSnapshot:
    PipelineRun.objects.create(status="succeeded", trigger=trigger, algorithm="ease", snapshot=snapshot)
    return snapshot


@pytest.mark.parametrize("trigger", ["scheduled", "retraining"])
def test_snapshots_of_automatic_trainings_are_pushed(alice, remote, trigger):
    scheduled(export_snapshot(), trigger)

    assert push_data() == {"snapshots": 1, "models": 0}


def test_snapshots_and_champion_are_restored_on_an_empty_host(alice, remote, settings, tmp_path, monkeypatch):
    snapshot = scheduled(export_snapshot())
    version = make_version(snapshot=snapshot)
    promote(version=version.pk)

    assert push_data() == {"snapshots": 1, "models": 1}
    assert push_data() == {"snapshots": 0, "models": 0}
    snapshot.refresh_from_db()
    assert snapshot.pushed_at is not None
    assert (settings.SNAPSHOT_DIR / snapshot.folder / "ratings.parquet").is_file()  # what is served is left alone

    # The pointers alone are enough for DVC itself.
    host = tmp_path / "host"
    (host / "snapshots").mkdir(parents=True)
    pointer = settings.SNAPSHOT_DIR / f"{snapshot.folder}.dvc"
    (host / "snapshots" / pointer.name).write_bytes(pointer.read_bytes())
    for command in (["init", "--no-scm"], ["remote", "add", "--default", "storage", str(remote)], ["pull"]):
        subprocess.run([BIN / "dvc", "--quiet", *command], cwd=host, check=True, capture_output=True)
    assert (host / "snapshots" / snapshot.folder / "snapshot.json").is_file()

    # Without any, they are on the remote, too.
    settings.DVC_DIR = tmp_path / "empty"
    settings.SNAPSHOT_DIR, settings.MODEL_DIR = settings.DVC_DIR / "snapshots", settings.DVC_DIR / "models"
    folders = restore_data()

    assert folders == [settings.SNAPSHOT_DIR / snapshot.folder, settings.MODEL_DIR / version.artifact]
    assert len(read_snapshot(snapshot)[0]) == 10
    assert artifact_checksum(settings.MODEL_DIR / version.artifact) == version.artifact_checksum


def test_a_store_that_speaks_s3_is_a_remote(alice, remote, bucket, settings, tmp_path):
    """By the libraries that requirements-dvc.txt installs beside ours: both name versions of botocore."""
    settings.DVC_REMOTE_URL = "s3://backups/dvc"
    snapshot = scheduled(export_snapshot())
    push_data()

    settings.DVC_DIR = tmp_path / "empty"
    settings.SNAPSHOT_DIR = settings.DVC_DIR / "snapshots"
    assert restore_data(latest=True) == [settings.SNAPSHOT_DIR / snapshot.folder]
    assert len(read_snapshot(snapshot)[0]) == 10


def restored(settings, folder: Path, *, latest: bool = False) -> list[Path]:
    """By a host that has what is below the folder."""
    settings.DVC_DIR, settings.SNAPSHOT_DIR, settings.MODEL_DIR = folder, folder / "snapshots", folder / "models"
    return restore_data(latest=latest)


def test_what_is_there_and_whole_is_left_as_it_is(alice, remote, settings, tmp_path):
    version = make_version(snapshot=scheduled(export_snapshot()))
    promote(version=version.pk)
    push_data()
    folders = restored(settings, tmp_path / "host")
    before = [file.stat().st_ino for folder in folders for file in sorted(folder.iterdir())]
    for objects in (remote / "files", tmp_path / "host" / ".dvc" / "cache"):
        shutil.rmtree(objects)

    assert restored(settings, tmp_path / "host") == folders

    assert [file.stat().st_ino for folder in folders for file in sorted(folder.iterdir())] == before
    (folders[0] / "ratings.parquet").unlink()
    with pytest.raises(DataRemoteError):
        restored(settings, tmp_path / "host")


@pytest.mark.parametrize("is_dated", [True, False])
def test_the_latest_ratings_come_alone(alice, remote, settings, tmp_path, is_dated):
    """Pointers of earlier versions do not say how late theirs are: then all snapshots come."""
    later = scheduled(export_snapshot())
    Rating.objects.filter(pk=Rating.objects.latest("rated_at").pk).delete()
    earlier = scheduled(export_snapshot())
    assert earlier.last_rated_at < later.last_rated_at
    promote(version=make_version(snapshot=later).pk)
    push_data()
    for pointer in remote.glob("pointers/*/*.dvc"):
        content = yaml.safe_load(pointer.read_text())
        if not is_dated:
            del content["meta"]
        pointer.write_text(yaml.safe_dump(content))

    folders = restored(settings, tmp_path / "host", latest=True)

    expected = {later.folder} if is_dated else {later.folder, earlier.folder}
    assert {folder.name for folder in folders} == expected
    assert {
        folder.name for kind in ("snapshots", "models") for folder in (tmp_path / "host" / kind).glob("*/")
    } == expected
    out = StringIO()
    call_command("restore_data", latest=True, stdout=out)
    assert out.getvalue() == f"{tmp_path / 'host' / 'snapshots' / later.folder}\n"


def test_damage_on_the_remote_or_in_the_cache_is_said(alice, remote, settings, tmp_path):
    """One bit is flipped: in the cache of a host that has pulled the files, then in objects of the remote."""
    snapshot = scheduled(export_snapshot())
    push_data()
    settings.DVC_DIR = tmp_path / "empty"
    settings.SNAPSHOT_DIR, settings.MODEL_DIR = settings.DVC_DIR / "snapshots", settings.DVC_DIR / "models"
    folder = settings.SNAPSHOT_DIR / snapshot.folder
    restore_data()

    ratings = (folder / "ratings.parquet").read_bytes()
    cache = (file for file in (settings.DVC_DIR / ".dvc" / "cache").rglob("*") if file.is_file())
    shutil.rmtree(folder)
    flip_bit(next(file for file in cache if file.read_bytes() == ratings))
    with pytest.raises(DataRemoteError, match=snapshot.folder):
        restore_data()

    objects = [file for file in (remote / "files").rglob("*") if file.is_file() and not file.name.startswith(".")]
    listing = next(file for file in objects if file.suffix == ".dir")
    for file in (listing, next(file for file in objects if file.read_bytes() == ratings)):
        shutil.rmtree(settings.DVC_DIR)
        flip_bit(file)
        with pytest.raises(DataRemoteError, match="dvc pull failed"):
            restore_data()
        flip_bit(file)
    restore_data()


def test_what_nobody_scheduled_stays_here(alice, remote):
    export_snapshot()

    assert push_data() == {"snapshots": 0, "models": 0}
    assert not remote.exists()


def test_without_a_remote_nothing_is_pushed_with_the_reason(alice, quick, settings, monkeypatch):
    settings.DVC_REMOTE_URL = ""
    with pytest.raises(NoDataRemote, match="DVC_REMOTE_URL"):
        push_data()
    assert push_data_task() == {"status": "skipped"}
    settings.DVC_REMOTE_URL = "/somewhere"
    monkeypatch.setattr("mlops.registry.dvc_remote._program", lambda: None)
    with pytest.raises(NoDataRemote, match="DVC is not installed"):
        restore_data()


def test_a_remote_that_does_not_take_it_is_tried_again(alice, remote, settings, tmp_path):
    snapshot = scheduled(export_snapshot())
    remote.write_text("a file is in the way")

    with pytest.raises(DataRemoteError, match="dvc add failed"):
        push_data()
    assert push_data_task() == {"status": "failed"}

    snapshot.refresh_from_db()
    assert snapshot.pushed_at is None
    assert [path.name for path in settings.SNAPSHOT_DIR.iterdir()] == [snapshot.folder]
    remote.unlink()
    assert push_data()["snapshots"] == 1


def test_a_folder_outside_of_the_project_is_named(alice, remote, settings, tmp_path):
    scheduled(export_snapshot())
    settings.DVC_DIR = tmp_path / "elsewhere"

    with pytest.raises(DataRemoteError, match="set DVC_DIR"):
        push_data()
