"""Backups in an S3-compatible store, using moto's server on loopback."""

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.db import connection

from mlops.backup import create, stores, workspace
from mlops.backup.restore import verify_backup
from mlops.backup.stores import open_store
from mlops.errors import BackupError
from mlops.services import create_backup
from movierec.policy import load_policy
from tests.mlops.conftest import SECRET

pytestmark = pytest.mark.once
HOME = "s3://backups/movies"
NO_SECRETS = "expected a folder or s3://bucket/prefix, without credentials"
Usage = namedtuple("Usage", "total used free")


def keys(bucket) -> list[str]:
    return [row.key for row in bucket.objects.all()]


def flip(bucket, key: str) -> None:
    content = bytearray(bucket.Object(key).get()["Body"].read())
    content[len(content) // 2] ^= 1
    bucket.put_object(Key=key, Body=bytes(content))


class Faulty:
    """boto3's client, which loses the connection at the second file, or only at the last one, and may not delete."""

    def __init__(self, client: Any, at: str = "", *, may_delete: bool = True) -> None:
        self.client, self.at, self.may_delete, self.n = client, at, may_delete, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def upload_file(self, path: str, *arguments: Any, **options: Any) -> None:
        self.n += 1
        if (self.n == 2 and self.at == "second") or (path.endswith("/SHA256SUMS") and self.at == "last"):
            raise S3UploadFailedError("Connection was closed")
        self.client.upload_file(path, *arguments, **options)

    def delete_object(self, **options: Any) -> None:
        if not self.may_delete:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "may only write"}}, "DeleteObject")
        self.client.delete_object(**options)


def test_the_newest_backup_is_fetched_verified_and_named(champion_site, bucket, capsys):
    bucket.put_object(Key="movies/notes.txt", Body=b"of another program")
    call_command("backup", HOME)
    newest = create_backup(HOME).address

    call_command("restore", HOME, "--verify")

    assert f"{newest}: every file is as it was written." in capsys.readouterr().out
    with pytest.raises(CommandError, match="The database is not empty"):
        call_command("restore", newest)
    flip(bucket, f"{newest.removeprefix('s3://backups/')}/database")
    with pytest.raises(CommandError, match=r"is damaged:\ndatabase: changed"):
        call_command("restore", newest, "--verify")


def test_nothing_is_left_on_this_host(champion_site, bucket, settings):
    before = set(Path(settings.VAR_DIR).iterdir())

    verify_backup(create_backup(HOME).address)

    assert set(Path(settings.VAR_DIR).iterdir()) == before


@pytest.mark.parametrize("at", ["second", "last"])
def test_an_interrupted_upload_is_removed_at_once(champion_site, bucket, monkeypatch, at):
    whole, client = create_backup(HOME).address, stores._client()
    before = keys(bucket)
    monkeypatch.setattr(stores, "_client", lambda: Faulty(client, at))

    with pytest.raises(BackupError, match="Connection was closed"):
        create_backup(HOME)

    assert keys(bucket) == before
    assert verify_backup(HOME) == (whole, True)


@pytest.mark.parametrize("at", ["second", "last"])
def test_an_upload_that_cannot_be_removed_costs_no_backup(champion_site, bucket, monkeypatch, caplog, at):
    whole, client = create_backup(HOME).address, stores._client()
    with monkeypatch.context() as patch, pytest.raises(BackupError, match="Connection was closed"):
        patch.setattr(stores, "_client", lambda: Faulty(client, at, may_delete=False))
        create_backup(HOME)

    assert any(not f"s3://backups/{key}".startswith(whole) for key in keys(bucket))
    assert verify_backup(HOME) == (whole, True)
    monkeypatch.setattr(workspace, "ABANDONED_SECONDS", -60)
    with monkeypatch.context() as patch:
        patch.setattr(stores, "_client", lambda: Faulty(client, may_delete=False))
        second = create_backup(HOME).address
    assert "abandoned uploads were not removed: s3://backups/movies" in caplog.text
    third = create_backup(HOME).address
    assert all(f"s3://backups/{key}".startswith((whole, second, third)) for key in keys(bucket))


def test_attempts_that_start_again_leave_nothing(champion_site, bucket, monkeypatch):
    def removed(*arguments: Any) -> None:
        raise create.FilesRemoved("by retention")

    monkeypatch.setattr(create, "damaged_files", removed)
    with pytest.raises(BackupError, match="Files were removed during each attempt"):
        create_backup(HOME)

    assert keys(bucket) == []


def test_the_newest_backups_are_kept(champion_site, bucket, change_policy, monkeypatch):
    change_policy("backup", keep=2)
    first, second, third = (create_backup(HOME) for _ in range(3))

    assert third.removed == [first.address]
    assert verify_backup(second.address) == (second.address, True)
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "may only write"}}, "DeleteObject")
    monkeypatch.setattr(stores.Bucket, "remove", lambda *arguments: (_ for _ in ()).throw(BackupError(str(refused))))
    assert create_backup(HOME).removed == []  # it is whole all the same
    assert len(open_store(HOME).names()) == 3


@pytest.mark.parametrize(
    ("changes", "address", "said"),
    [
        ({}, "s3://nothing/here", "The specified bucket does not exist"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, HOME, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, HOME, "Could not connect to the endpoint"),
        ({"AWS_ENDPOINT_URL": "nowhere"}, HOME, "Invalid endpoint"),
        ({}, f"s3://user:{SECRET}@backups", NO_SECRETS),
        ({}, f"s3:/{SECRET}", NO_SECRETS),
        ({}, f"https://user:{SECRET}@127.0.0.1/backups", NO_SECRETS),
    ],
)
def test_what_fails_is_said_without_the_secret(champion_site, bucket, monkeypatch, tmp_path, changes, address, said):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name, value in changes.items():
        monkeypatch.setenv(name, value)

    for command in ("backup", "restore"):
        with pytest.raises(CommandError) as error:
            call_command(command, address)
        assert said in str(error.value)
        assert SECRET not in str(error.value)


@pytest.mark.parametrize("outside", ["../../outside", "/outside"])
def test_an_object_cannot_be_written_outside_of_the_backup(champion_site, bucket, monkeypatch, outside):
    address = create_backup(HOME).address
    listed = stores.Bucket._objects
    added = {f"{Path(address).name}/{outside}": stores.Row(0, 0.0)}
    monkeypatch.setattr(stores.Bucket, "_objects", lambda *arguments: listed(*arguments) | added)

    with pytest.raises(BackupError, match="names a file outside of the backup"):
        verify_backup(HOME)


def test_a_restore_needs_room_for_what_it_copies_again(champion_site, bucket, tmp_path, monkeypatch):
    """The databases on their way to their places, and from a bucket the file that is being fetched."""
    local = Path(create_backup(str(tmp_path / "backups")).address)
    create_backup(HOME)
    again = ["mlflow.db", *["database"] * (connection.vendor == "sqlite")]
    files = [path for path in local.rglob("*") if path.is_file()]
    room = sum(path.stat().st_size for path in [*files, *(local / name for name in again)])

    for source, free, said in [
        (str(local), room - 1, r"lacks 0\.0 MB"),
        (str(local), room, "The database is not empty"),
        (HOME, room, r"lacks \d+\.\d MB"),
    ]:
        monkeypatch.setattr("mlops.backup.workspace.shutil.disk_usage", lambda path, free=free: Usage(0, 0, free))
        with pytest.raises(CommandError, match=said):
            call_command("restore", source)


def test_the_policy_names_a_bucket_and_refuses_half_an_address(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(f"backup: {{folder: {HOME}}}")
    assert load_policy(file).backup.folder == HOME

    for address in ("s3:/backups", "file:///mnt/backups"):
        file.write_text(f"backup: {{folder: '{address}'}}")
        with pytest.raises(Exception, match=r"backup\.folder"):
            load_policy(file)
