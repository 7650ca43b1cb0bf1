"""Encrypts a backup in the age format, file by file, so that `age` can decrypt it without the site.

Keys are age's X25519 keys from BACKUP_KEY or BACKUP_KEY_FILE. A public key (age1...) suffices to write backups; reading
them requires the secret key (AGE-SECRET-KEY-1...). The file may hold several keys, one per line; each of them can
decrypt the backups.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from pyrage import DecryptError, IdentityError, RecipientError, decrypt_file, encrypt_file, x25519

from mlops.errors import BackupError

SUFFIX = ".age"
SECRET = "AGE-SECRET-KEY-1"


def recipients() -> list[Any]:
    """Returns the public keys to encrypt with, or an empty list if no key is set. Raises BackupError."""
    try:
        public = [x25519.Recipient.from_str(key) for key in _keys() if not key.startswith(SECRET)]
    except RecipientError as error:
        raise _malformed() from error
    return public + [identity.to_public() for identity in identities()]


def identities() -> list[Any]:
    """Returns the configured secret keys. Raises BackupError."""
    try:
        return [x25519.Identity.from_str(key) for key in _keys() if key.startswith(SECRET)]
    except IdentityError as error:
        raise _malformed() from error


def require_identities() -> list[Any]:
    """Returns the configured secret keys. Raises BackupError if there are none."""
    if keys := identities():
        return keys
    raise BackupError(f"The backup is encrypted. Set BACKUP_KEY or BACKUP_KEY_FILE to its secret key ({SECRET}...).")


def encrypt(plain: Path, encrypted: Path, keys: Sequence[Any]) -> None:
    encrypt_file(str(plain), str(encrypted), list(keys))


def decrypt(encrypted: Path, plain: Path, keys: Sequence[Any], *, name: str) -> None:
    """Decrypts a file to `plain`. Raises BackupError, with `name` in its message."""
    try:
        decrypt_file(str(encrypted), str(plain), list(keys))
    except DecryptError as error:
        raise BackupError("The backup is encrypted with another key than BACKUP_KEY or BACKUP_KEY_FILE.") from error
    except OSError as error:
        raise BackupError(f"{name} cannot be decrypted: {error}") from error


def _keys() -> list[str]:
    """Returns the keys. Raises BackupError, rather than leaving a backup unencrypted, if the key file is unusable."""
    if settings.BACKUP_KEY:
        return [settings.BACKUP_KEY]
    if not settings.BACKUP_KEY_FILE:
        return []
    try:
        lines = Path(settings.BACKUP_KEY_FILE).read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise BackupError(f"BACKUP_KEY_FILE cannot be read: {error}") from error
    if keys := [line.strip() for line in lines if line.strip() and not line.startswith("#")]:
        return keys
    raise BackupError("BACKUP_KEY_FILE holds no key.")


def _malformed() -> BackupError:
    """Returns the error for a malformed key. The message does not contain the key."""
    return BackupError(f"BACKUP_KEY or BACKUP_KEY_FILE: expected keys of age, as age1... or {SECRET}...")
