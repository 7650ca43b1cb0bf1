"""Encrypted backups can only be read with the secret key. Errors are reported clearly."""

import json
import logging
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pyrage import decrypt, x25519

from catalog.models import User
from mlops.backup.checksums import OWN, SUMS
from mlops.backup.checksums import write_checksums as write
from mlops.backup.restore import verify_backup
from mlops.errors import BackupError
from mlops.services import create_backup
from recommender.estimators.artifact_files import sha256
from tests.artefact_files import flip_bit, overwrite

pytestmark = pytest.mark.once


def write_checksums(folder: Path) -> None:
    """Of the files as they are now."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (SUMS, OWN)]
    write(folder, {path.relative_to(folder).as_posix(): sha256(path) for path in files})


@pytest.fixture
def key(settings) -> x25519.Identity:
    made = x25519.Identity.generate()
    settings.BACKUP_KEY = str(made)
    return made


def test_nothing_can_be_read_without_the_key(champion_site, key, tmp_path, caplog, capsys):
    with caplog.at_level(logging.DEBUG):
        call_command("backup", str(tmp_path / "backups"))

    [folder] = (tmp_path / "backups").iterdir()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files if not path.name.startswith("SHA256SUMS")} == {".age"}
    content = b"".join(path.read_bytes() for path in files)
    for text in (User.objects.get().username, "SQLite format 3", "PAR1", str(key)):
        assert text.encode() not in content
    assert str(key) not in caplog.text + capsys.readouterr().out
    assert json.loads(decrypt((folder / "backup.json.age").read_bytes(), [key]))["format"] == 1


def test_a_public_key_writes_and_the_secret_one_reads(champion_site, key, tmp_path, settings, capsys):
    settings.BACKUP_KEY = str(key.to_public())
    address = create_backup(str(tmp_path / "backups")).address

    assert verify_backup(address) == (address, False)  # every byte, but not what it says
    file = next(Path(address).rglob("*.parquet.age"))
    content = flip_bit(file)  # is not read: without the key all of it would be for nothing
    with pytest.raises(CommandError, match=r"is encrypted. Set BACKUP_KEY or BACKUP_KEY_FILE to its secret key"):
        call_command("restore", address)
    overwrite(file, content)
    settings.BACKUP_KEY = str(x25519.Identity.generate())
    for options in ([], ["--verify"]):
        with pytest.raises(CommandError, match="is encrypted with another key than BACKUP_KEY"):
            call_command("restore", address, *options)
    settings.BACKUP_KEY = str(key)
    assert verify_backup(address) == (address, True)


def test_keys_are_changed_by_a_file_with_both(champion_site, key, tmp_path, settings):
    old = create_backup(str(tmp_path / "backups")).address
    new, settings.BACKUP_KEY = x25519.Identity.generate(), ""
    file = tmp_path / "keys"
    file.write_text(f"# made by age-keygen\n{new}\n\n{key}\n")
    settings.BACKUP_KEY_FILE = str(file)

    both = create_backup(str(tmp_path / "backups")).address

    assert verify_backup(old) == (old, True)
    file.write_text(str(new))
    assert verify_backup(both) == (both, True)
    with pytest.raises(BackupError, match="another key"):
        verify_backup(old)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "BACKUP_KEY_FILE cannot be read"), ("# none\n", "holds no key"), ("age1secret", "expected keys of age")],
)
def test_without_a_usable_key_nothing_is_written(champion_site, tmp_path, settings, content, said):
    file = tmp_path / "keys"
    settings.BACKUP_KEY_FILE = str(file)
    if content is not None:
        file.write_text(content)

    with pytest.raises(BackupError, match=said) as error:
        create_backup(str(tmp_path / "backups"))

    assert "age1secret" not in str(error.value)
    assert not (tmp_path / "backups").exists()


def test_exchanged_files_are_found_though_checksums_match(champion_site, key, tmp_path):
    """As someone can do who may write to the store but has no key."""
    folder = Path(create_backup(str(tmp_path / "backups")).address)
    one, other = sorted(folder.rglob("*.parquet.age"))[:2]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    write_checksums(folder)

    with pytest.raises(BackupError, match=r"is damaged:\n.*parquet: changed"):
        verify_backup(str(folder))
    one.write_bytes(b"harmless")
    write_checksums(folder)
    with pytest.raises(BackupError, match=r"cannot be decrypted|another key"):
        verify_backup(str(folder))
