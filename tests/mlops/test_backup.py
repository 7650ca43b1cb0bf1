"""A backup, and the same site from it on a host that has nothing."""

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

from catalog.models import User
from mlops.backup import create
from mlops.errors import BackupError
from mlops.models import ModelVersion
from mlops.services import create_backup, export_snapshot, promote, prune, sync_registry
from mlops.tasks import backup
from recommender.services import recommend
from tests.environment import RUN_ID
from tests.mlops.site import make_version
from tests.processes import ROOT, environment

LISTS = (
    "import json, django; django.setup(); from tests.mlops.test_backup import lists_of_100_people; "
    "print(json.dumps(lists_of_100_people()))"
)

MLFLOW = """
import django; django.setup()
from urllib.parse import urlparse
from mlops.registry.mlflow_client import connect
client = connect().MlflowClient()
(experiment,) = client.search_experiments(filter_string="name = 'movierec'")
place = urlparse(experiment.artifact_location).path
runs = client.search_runs([experiment.experiment_id])
assert runs and all(urlparse(run.info.artifact_uri).path.startswith(place + "/") for run in runs)
print(place)
"""
DELETE = "import django; django.setup(); from catalog.models import Rating; Rating.objects.all().delete()"


def lists_of_100_people() -> list[list[list[float]]]:
    people = User.objects.filter(username__startswith="rater").order_by("pk")[:100]
    made = [recommend(user=user, surface=None) for user in people]
    assert len(made) == 100
    assert {found.fallback for found in made} == {None}
    return [[[row.movie.pk, row.score] for row in found.results] for found in made]


def restore(source: Path, *options: str) -> None:
    call_command("restore", str(source), *options)


@pytest.fixture
def backups(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def site(transactional_db, alice, quick) -> ModelVersion:
    """With a champion and its data, committed: another connection copies them."""
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)
    return version


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
def test_an_empty_host_gives_the_same_lists(rated_site, backups, empty_host):
    call_command("train_model")
    sync_registry()
    before = lists_of_100_people()

    call_command("backup", str(backups))
    said = python("manage.py", "restore", str(backups), variables=empty_host)

    champion = ModelVersion.objects.get(status="champion")
    assert f"the champion, version {champion.pk}, passed its smoke test" in said
    assert "Not in the backup: secrets" in said
    assert json.loads(python("-c", LISTS, variables=empty_host)) == before
    assert python("-c", MLFLOW, variables=empty_host).strip() == f"{empty_host['VAR_DIR']}/mlflow/artifacts"
    refused = python("manage.py", "restore", str(backups), variables=empty_host, code=1)
    assert re.search(r"The database is not empty \(.*catalog.Movie 90, catalog.User 120", refused)
    assert "--force, which DELETES" in refused
    python("-c", DELETE, variables=empty_host)
    python("manage.py", "restore", str(backups), "--force", variables=empty_host)
    assert json.loads(python("-c", LISTS, variables=empty_host)) == before


@pytest.mark.once
def test_each_of_100_flipped_bytes_is_found_and_named(site, backups, capsys):
    folder = create_backup(backups).folder
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    assert {"database", "backup.json", "SHA256SUMS", "ratings.parquet", "manifest.json"} < {path.name for path in files}
    restore(folder, "--verify")
    assert "every file is as it was written" in capsys.readouterr().out
    rng = random.Random(0)

    for _ in range(100):
        file = rng.choice(files)
        content = file.read_bytes()
        place = rng.randrange(len(content))
        file.write_bytes(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :])
        with pytest.raises(CommandError, match="is damaged") as error:
            restore(folder, "--verify")
        assert str(file.relative_to(folder)) in str(error.value)
        file.write_bytes(content)

    (folder / "models" / "added").write_text("by someone")
    next(folder.rglob("movies.parquet")).unlink()
    with pytest.raises(CommandError, match=r"models/added: not in the backup(.|\n)*movies.parquet: missing"):
        restore(folder, "--force")


@pytest.mark.once
def test_the_checksums_can_be_read_by_sha256sum(site, backups):
    folder = create_backup(backups).folder

    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS.sha256", "SHA256SUMS"], cwd=folder, check=True)


@pytest.mark.once
def test_the_newest_backups_are_kept(site, backups, change_policy):
    change_policy("backup", keep=2)
    abandoned = backups / ".movierec-1.part"
    abandoned.mkdir(parents=True)
    long_ago = time.time() - 2 * create.ABANDONED_SECONDS
    os.utime(abandoned, (long_ago, long_ago))
    (backups / "notes").mkdir()

    first, second = create_backup(backups).folder, create_backup(backups).folder
    restore(first, "--verify")
    third = create_backup(backups)

    assert third.removed == [first]
    assert sorted(path.name for path in backups.iterdir()) == sorted([second.name, third.folder.name, "notes"])
    restore(backups, "--verify")


@pytest.mark.once
def test_what_retention_removes_meanwhile_is_retried(site, backups, monkeypatch, change_policy):
    """The first version's files are removed after the database was copied."""
    change_policy("retention", versions=1)
    old, _ = make_version(snapshot=site.snapshot), make_version(snapshot=site.snapshot)
    dump, removed = create.dump, []

    def dump_then_prune(*arguments):
        found = dump(*arguments)
        removed.append(prune()["artifacts"])
        return found

    monkeypatch.setattr(create, "dump", dump_then_prune)
    made = create_backup(backups)

    assert removed == [1, 0]
    assert made.missing == []
    saved = {path.name for path in (made.folder / "models").iterdir()}
    assert site.artifact in saved
    assert old.artifact not in saved


@pytest.mark.once
def test_a_missing_folder_is_said_and_costs_no_backup(site, backups, settings, capsys):
    shutil.rmtree(settings.SNAPSHOT_DIR / site.snapshot.folder)

    call_command("backup", str(backups))

    assert f"Missing on this site, so not in the backup: snapshots/{site.snapshot.folder}" in capsys.readouterr().out
    assert len(list(backups.glob("*/models/*/manifest.json"))) == 1


@pytest.mark.once
def test_a_backup_that_fails_leaves_nothing(site, backups, settings):
    backups.write_text("a file is in the way")
    with pytest.raises(BackupError, match="No backup was written"):
        create_backup(backups)
    backups.unlink()
    os.mkfifo(settings.MODEL_DIR / site.artifact / "unreadable")
    with pytest.raises(BackupError, match="unreadable"):
        create_backup(backups)

    assert list(backups.iterdir()) == []


@pytest.mark.once
def test_the_schedule_writes_where_the_policy_says(site, backups, change_policy):
    assert backup() == {"status": "skipped"}
    with pytest.raises(CommandError, match=r"backup\.folder in config\.yaml"):
        call_command("backup")

    change_policy("backup", folder=backups)

    assert Path(backup()["folder"]).parent == backups


@pytest.mark.once
def test_a_backup_of_a_newer_version_is_refused(site, backups):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("mlops", "9999_from_the_future")
    try:
        create_backup(backups)
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
        create_backup(backups)
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    program.chmod(0o755)
    with pytest.raises(BackupError, match=rf"pg_dump \(PostgreSQL\) 9.6.24 is too old: .*postgresql-client-{server}"):
        create_backup(backups)
