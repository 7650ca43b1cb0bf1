"""Backs up a site and restores it on an empty host."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pyrage import x25519

from mlops.backup import create, workspace
from mlops.errors import BackupError
from mlops.models import ModelVersion
from mlops.services import create_backup, prune, sync_registry
from mlops.tasks import backup
from tests.artefact_files import flip_bit, overwrite
from tests.environment import RUN_ID
from tests.mlops.restored_site import lists_of_people
from tests.mlops.site import make_version
from tests.processes import ROOT, environment

LISTS = """
import json
from tests.mlops.restored_site import lists_of_people
print(json.dumps(lists_of_people()))
"""
MLFLOW = """
from urllib.parse import urlparse
from mlops.registry.mlflow_client import connect
mlflow = connect()
client = mlflow.MlflowClient()
(experiment,) = client.search_experiments(filter_string="name = 'movierec'")
place = urlparse(experiment.artifact_location).path
runs = client.search_runs([experiment.experiment_id])
assert runs and all(urlparse(run.info.artifact_uri).path.startswith(place + "/") for run in runs)
champion = client.get_model_version_by_alias("movierec", "champion")
assert urlparse(client.get_model_version_download_uri("movierec", champion.version)).path.startswith(place + "/")
mlflow.pyfunc.load_model("models:/movierec@champion")
print(place)
"""
KEPT = """
from django.db import DatabaseError, connection
from mlops.models import Promotion
try:
    connection.cursor().execute("UPDATE mlops_promotion SET reason = 'changed'")
except DatabaseError as error:
    print(Promotion.objects.get().reason, str(error).splitlines()[0])
"""
DELETE = "from catalog.models import Rating; Rating.objects.all().delete()"


def restore(source: Path, *options: str) -> None:
    call_command("restore", str(source), *options)


def make_backup(backups: Path) -> Path:
    return Path(create_backup(str(backups)).address)


@pytest.fixture
def backups(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def empty_host(tmp_path) -> Iterator[dict[str, str]]:
    """The environment of a site that has no data, no files and, on Postgres, a database without tables."""
    place = tmp_path / "host"
    changes = {"VAR_DIR": place, "MODEL_DIR": place / "models", "SNAPSHOT_DIR": place / "snapshots"}
    changes["MLFLOW_TRACKING_URI"] = f"sqlite:///{place}/mlflow/mlflow.db"
    variables = environment(**{name: str(value) for name, value in changes.items()})
    if connection.vendor == "sqlite":
        yield variables
        return
    name = f"test_movierec_{RUN_ID}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield variables | {"DATABASE_URL": f"{variables['DATABASE_URL'].rpartition('/')[0]}/{name}"}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def python(*arguments: str, variables: dict[str, str], code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr * bool(code)


@pytest.mark.ml_test("I7")
def test_an_empty_host_gives_the_same_lists(rated_site, own_store, backups, bucket, empty_host, settings):
    """From a folder, and encrypted from a bucket into a database whose ratings were lost."""
    call_command("train_model")
    sync_registry()
    before = lists_of_people()

    call_command("backup", str(backups))
    key = x25519.Identity.generate()
    settings.BACKUP_KEY = str(key.to_public())
    call_command("backup", "s3://backups/movies")
    said = python("manage.py", "restore", str(backups), variables=empty_host)

    champion = ModelVersion.objects.get(status="champion")
    assert f"the champion, version {champion.pk}, passed its smoke test" in said
    assert "Not in the backup: secrets" in said
    lists, place = python("-c", LISTS + MLFLOW + DELETE, variables=empty_host).splitlines()
    assert json.loads(lists) == before
    assert place == f"{empty_host['VAR_DIR']}/mlflow/artifacts"
    refused = python("manage.py", "restore", str(backups), variables=empty_host, code=1)
    assert re.search(r"The database is not empty \(.*catalog.Movie 90, .*catalog.User 120", refused)
    assert "--force, which DELETES" in refused
    secret = {"BACKUP_KEY": str(key)}
    python("manage.py", "restore", "s3://backups/movies", "--force", variables=empty_host | secret)
    lists, kept = python("-c", LISTS + KEPT, variables=empty_host).splitlines()
    assert json.loads(lists) == before
    assert kept.strip().startswith("mlops_promotion is append-only")


@pytest.mark.once
@pytest.mark.parametrize("key", ["", str(x25519.Identity.generate().to_public())], ids=["plain", "encrypted"])
def test_each_of_100_flipped_bytes_is_found_and_named(champion_site, backups, capsys, settings, key):
    settings.BACKUP_KEY = key
    folder = make_backup(backups)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    names = {path.name.removesuffix(".age") for path in files}
    assert {"database", "backup.json", "SHA256SUMS", "ratings.parquet", "manifest.json"} < names
    restore(folder, "--verify")
    assert "every file is as it was written" in capsys.readouterr().out
    rng = random.Random(0)

    for _ in range(100):
        file = rng.choice(files)
        content = flip_bit(file, rng.randrange(file.stat().st_size), rng.randrange(8))
        with pytest.raises(CommandError, match="is damaged") as error:
            restore(folder, "--verify")
        assert str(file.relative_to(folder)) in str(error.value)
        overwrite(file, content)

    (folder / "models" / "added").write_text("by someone")
    next(folder.rglob("movies.parquet*")).unlink()
    with pytest.raises(CommandError, match=r"models/added: not in the backup(.|\n)*movies.parquet(.age)?: missing"):
        restore(folder, "--force")


@pytest.mark.once
def test_the_checksums_can_be_read_by_sha256sum(champion_site, backups):
    folder = make_backup(backups)

    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS.sha256", "SHA256SUMS"], cwd=folder, check=True)


@pytest.mark.once
def test_the_newest_backups_are_kept(champion_site, backups, change_policy):
    change_policy("backup", keep=2)
    abandoned = backups / ".movierec-1.part"
    abandoned.mkdir(parents=True)
    long_ago = time.time() - 2 * workspace.ABANDONED_SECONDS
    os.utime(abandoned, (long_ago, long_ago))
    (backups / "notes").mkdir()

    first, second = make_backup(backups), make_backup(backups)
    restore(first, "--verify")
    third = create_backup(str(backups))

    assert third.removed == [str(first)]
    assert sorted(path.name for path in backups.iterdir()) == sorted([second.name, Path(third.address).name, "notes"])
    restore(backups, "--verify")


@pytest.mark.once
def test_what_retention_removes_meanwhile_is_retried(champion_site, backups, monkeypatch, change_policy):
    """The first version's files are removed after the database was copied."""
    change_policy("retention", versions=1)
    old, _ = make_version(snapshot=champion_site.snapshot), make_version(snapshot=champion_site.snapshot)
    dump, removed = create.dump, []

    def dump_then_prune(*arguments):
        found = dump(*arguments)
        removed.append(prune()["artifacts"])
        return found

    monkeypatch.setattr(create, "dump", dump_then_prune)
    made = create_backup(str(backups))

    assert removed == [1, 0]
    assert made.missing == []
    saved = {path.name for path in Path(made.address, "models").iterdir()}
    assert champion_site.artifact in saved
    assert old.artifact not in saved


@pytest.mark.once
def test_a_missing_folder_is_said_and_costs_no_backup(champion_site, backups, settings, capsys):
    shutil.rmtree(settings.SNAPSHOT_DIR / champion_site.snapshot.folder)

    call_command("backup", str(backups))

    assert (
        f"Missing on this site, so not in the backup: snapshots/{champion_site.snapshot.folder}"
        in capsys.readouterr().out
    )
    assert len(list(backups.glob("*/models/*/manifest.json"))) == 1


@pytest.mark.once
def test_a_backup_that_fails_leaves_nothing(champion_site, backups, settings):
    backups.write_text("a file is in the way")
    with pytest.raises(BackupError, match="No backup was written"):
        create_backup(str(backups))
    backups.unlink()
    os.mkfifo(settings.MODEL_DIR / champion_site.artifact / "unreadable")
    with pytest.raises(BackupError, match="unreadable"):
        create_backup(str(backups))

    assert list(backups.iterdir()) == []


@pytest.mark.once
def test_the_schedule_writes_where_the_policy_says(champion_site, backups, change_policy):
    assert backup() == {"status": "skipped"}
    with pytest.raises(CommandError, match=r"backup\.folder in config\.yaml"):
        call_command("backup")

    change_policy("backup", folder=str(backups))

    assert Path(backup()["address"]).parent == backups


@pytest.mark.once
def test_a_backup_of_a_newer_version_is_refused(champion_site, backups):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("mlops", "9999_from_the_future")
    try:
        create_backup(str(backups))
    finally:
        recorder.record_unapplied("mlops", "9999_from_the_future")

    with pytest.raises(CommandError, match=r"newer than this one .*mlops\.9999_from_the_future"):
        restore(backups, "--force")
    with pytest.raises(CommandError, match="expected a backup"):
        restore(backups / "nothing")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_missing_or_old_pg_dump_is_named(backups, tmp_path, monkeypatch):
    server = connection.pg_version // 10_000
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match=f"pg_dump is not installed: the server is PostgreSQL {server}"):
        create_backup(str(backups))
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    program.chmod(0o755)
    with pytest.raises(BackupError, match=rf"pg_dump \(PostgreSQL\) 9.6.24 is too old: .*postgresql-client-{server}"):
        create_backup(str(backups))
