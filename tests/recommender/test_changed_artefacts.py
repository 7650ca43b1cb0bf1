"""Artefacts that change while a process serves them. Their large arrays are memory-mapped."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from mlops.models import Alert
from mlops.monitoring.watch import watch_champion
from recommender.estimators import artifact_checksum
from recommender.models import ServedModel
from recommender.services import activate, recommend
from recommender.serving.model_server import ModelServer, server
from tests.artefact_files import overwrite
from tests.recommender.test_model_server import answered_by, save

pytestmark = pytest.mark.django_db


def overwrite_unnoticed(file: Path, content: bytes) -> None:
    """In place, with the times that were there: a mapped array changes with it."""
    times = file.stat()
    overwrite(file, content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("damage", ["same size", "cut", "other model"])
@pytest.mark.parametrize("has_previous", [False, True])
def test_an_overwritten_artefact_is_served_no_longer(train, fan, client, caplog, monkeypatch, damage, has_previous):
    monkeypatch.setattr("recommender.estimators.artifact.MEMORY_MAP_BYTES", 0)
    if has_previous:
        train(version=1)
    train(version=2)
    folder = Path(settings.MODEL_DIR) / "2-ease"
    other = save(3)
    files = {file: file.read_bytes() for file in folder.iterdir()}
    if damage == "other model":  # whole in itself
        changed = {folder / file.name: file.read_bytes() for file in other.iterdir()}
        assert artifact_checksum(other) != artifact_checksum(folder)
        ServedModel.objects.filter(version=2).update(checksum=artifact_checksum(folder))
    else:
        file = max(files, key=lambda file: len(files[file]))
        changed = {file: files[file][:-1] + (bytes([files[file][-1] ^ 1]) if damage == "same size" else b"")}
    for file, content in changed.items():
        file.write_bytes(content) if file not in files else overwrite_unnoticed(file, content)

    server.refresh()
    assert answered_by(fan) == ((1, "previous") if has_previous else (None, "popular"))
    assert len(recommend(user=fan, k=3, surface="test").results) == 3
    server.refresh()
    assert caplog.text.count("The files of model 2 were changed") == 1
    watch_champion()
    assert Alert.objects.get(closed_at=None).findings[0]["params"]["version"] == 2
    assert "2 is not loaded" in client.get("/readyz").json()["parts"]["model"]["detail"]

    for file, content in files.items():
        overwrite_unnoticed(file, content)
    server.refresh()  # without a pause: the files changed since they were refused
    assert answered_by(fan) == (2, None)
    watch_champion()
    assert not Alert.objects.filter(closed_at=None).exists()


def test_touched_and_removed_files_stay_in_memory(train, fan):
    train(version=1)
    folder = Path(settings.MODEL_DIR) / "1-ease"
    model = server.models()[0].model
    for file in folder.iterdir():
        file.touch()
    server.refresh()
    assert server.models()[0].model is model
    moved = folder.rename(folder.with_name("moved"))
    server.refresh()
    assert server.models()[0].model is model
    moved.rename(folder)
    server.refresh()
    assert server.models()[0].model is model


def test_a_removed_folder_is_one_alert_of_old_and_new_processes(train, fan, monkeypatch):
    """The old one serves from memory, the new one cannot load."""
    train(version=1)
    folder = Path(settings.MODEL_DIR) / "1-ease"
    old, new, newest = ModelServer(), ModelServer(), ModelServer()

    def watch(*processes: ModelServer) -> list[bool]:
        """Whether the alerts so far are open, after each of the processes has watched."""
        for process in processes:
            monkeypatch.setattr("mlops.monitoring.watch.server", process)
            watch_champion()
        return [alert.closed_at is None for alert in Alert.objects.all()]

    old.refresh()
    assert watch(old) == []
    moved = folder.rename(folder.with_name("moved"))
    for process in (old, new):
        process.refresh()
    assert watch(old, new, newest, old, new) == [True]
    moved.rename(folder)
    assert watch(new, newest) == [True]  # neither has tried the files that are there now
    assert watch(old, new) == [False]
    new.refresh()
    assert watch(new, old) == [False]


def test_an_unchanged_artefact_is_not_read_again(train, camps, monkeypatch):
    train(version=1)
    monkeypatch.setattr("recommender.estimators.manifest.sha256", None)
    server.refresh()
    assert [loaded.version for loaded in server.models()] == [1]


def test_another_model_than_the_activated_is_not_served(train, fan):
    train(version=1)
    folder = save(2)
    activate(version=2, algorithm="popularity", artifact=folder.name, checksum="0" * 64)
    server.refresh()
    assert answered_by(fan) == (1, "previous")
    activate(version=2, algorithm="popularity", artifact=folder.name, checksum=artifact_checksum(folder))
    server.reset()
    assert answered_by(fan) == (2, None)
