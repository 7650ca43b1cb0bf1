"""Backups of a site during a training and promotions. Each can be restored to a consistent site."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from django.core.management import call_command

from mlops.backup.restore import verify_backup
from mlops.models import ModelVersion
from mlops.services import create_backup, prune, sync_registry
from tests.mlops.conftest import own_store, quick, rated_site, use_policy
from tests.mlops.restored_site import lists_of_people
from tests.mlops.site import write_policy
from tests.mlops.test_backup import empty_host, python
from tests.processes import ROOT, environment, wait_for

__all__ = ["empty_host", "own_store", "quick", "rated_site"]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

SUSPENDED = """
import os, signal, sys
from importlib import import_module
import django; django.setup()
from django.core.management import call_command
module, owner, name, *command = sys.argv[1:]
holder = import_module(module)
holder = getattr(holder, owner) if owner else holder
original = getattr(holder, name)
def suspended(*arguments, **options):
    setattr(holder, name, original)
    os.kill(os.getpid(), signal.SIGSTOP)
    return original(*arguments, **options)
setattr(holder, name, suspended)
call_command(*command)
"""
AWAITED = "writing to MLflow"  # by a backup
TRAINING = {  # where the training is: (module, class, function that it calls next)
    "before register": ("mlops.training.steps", "", "smoke_test_input"),
    AWAITED: ("mlops.registry.mlflow_runs", "", "_metrics"),
    "before the gate": ("mlops.training.steps", "", "decide_version"),
    "inside promote": ("mlops.registry.promotion", "", "activate"),
    "after promote": ("mlops.training.steps", "", "prune_artifacts"),
}
BACKUP = {
    "after the database": ("mlops.backup.create", "", "copy_sqlite"),
    "before the files": ("mlops.backup.writer", "BackupWriter", "require_room"),
    "after the files": ("mlops.backup.create", "", "damaged_files"),
}
Place = tuple[str, str, str]


class Suspended:
    """A command in a process that is stopped where it first calls a function."""

    def __init__(self, place: Place, *command: str, log: Path) -> None:
        arguments = [sys.executable, "-c", SUSPENDED, *place, *command]
        with log.open("w") as output:
            self.process = subprocess.Popen(arguments, cwd=ROOT, env=environment(), stdout=output, stderr=output)
        self.log = log
        wait_for(lambda: self._is_stopped() or self.process.poll() is not None, seconds=600, what="it is suspended")
        assert self.process.poll() is None, log.read_text()

    def _is_stopped(self) -> bool:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def finish(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGCONT)
        assert self.process.wait(600) == 0, self.log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def suspended(tmp_path) -> Iterator[Callable[..., Suspended]]:
    started: list[Suspended] = []

    def start(place: Place, *command: str) -> Suspended:
        started.append(Suspended(place, *command, log=tmp_path / f"{len(started)}.log"))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def lists(rated_site, own_store, settings) -> dict[int, Any]:
    """The lists of each champion; of the first one, which is trained here."""
    on_any_machine = {"max_latency_ms": 60_000, "replay_latency_floor_ms": 60_000, "max_smoke_test_seconds": 300}
    use_policy(settings, write_policy(rated_site, gate=on_any_machine))
    call_command("train_model")
    return {_champion(): lists_of_people()}


def _champion() -> int:
    return ModelVersion.objects.values_list("pk", flat=True).get(status="champion")


def restored(backups: Path, host: dict[str, str]) -> dict[str, Any]:
    """What the newest backup becomes on an empty host."""
    verify_backup(str(backups))
    found: dict[str, Any] = json.loads(python("-m", "tests.mlops.restored_site", str(backups), variables=host))
    assert found["problems"] == []
    return found


@pytest.mark.parametrize("place, how", [*((place, "finish") for place in TRAINING), (AWAITED, "kill")])
def test_a_backup_in_the_midst_of_a_training(lists, suspended, empty_host, tmp_path, place, how):
    """How the training ends can change only a backup that waits for it."""
    training = suspended(TRAINING[place], "train_model")
    end = getattr(training, how)
    later = Timer(3 if place == AWAITED else 600, end)
    later.start()

    create_backup(str(tmp_path / "backups"))

    later.cancel()
    later.join()
    end()
    lists[_champion()] = lists_of_people()
    found = restored(tmp_path / "backups", empty_host)
    assert found["lists"] == lists[found["champion"]]


@pytest.mark.parametrize("place", BACKUP)
def test_a_training_in_the_midst_of_a_backup(lists, suspended, empty_host, tmp_path, place):
    backup = suspended(BACKUP[place], "backup", str(tmp_path / "backups"))

    call_command("train_model")
    prune()
    backup.finish()

    first, second = lists.keys(), _champion()
    assert second not in first
    found = restored(tmp_path / "backups", empty_host)
    assert found["lists"] == lists[found["champion"]]  # of the first one
    sync_registry()
    assert ModelVersion.objects.exclude(mlflow_version="").count() == 2
