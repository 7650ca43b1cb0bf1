"""What stands where in a backup, and on the site; and what a backup says of itself."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mlops.errors import BackupError

DATABASE, DESCRIPTION, MLFLOW_STORE, MLFLOW_FILES = "database", "backup.json", "mlflow.db", "mlflow"
FORMAT = 1
DESCRIBED = {"version": str, "database": str, "migrations": list, "mlflow_files": str}
MANIFESTS = {"models": "manifest.json", "snapshots": "snapshot.json"}


@dataclass(frozen=True)
class Found:
    """What the database names and the backup lacks, and what is never in one."""

    left_out: list[str]
    missing: list[str]  # artefacts and snapshots
    damaged: list[str]  # files of others, which are not what their manifests say


def places() -> dict[str, Path]:
    """The site's folder for each folder of files in a backup."""
    return {"models": Path(settings.MODEL_DIR), "snapshots": Path(settings.SNAPSHOT_DIR)}


def files_in(folders: Mapping[str, Path]) -> dict[Path, str]:
    """Where each file below the site's folders is, and its name in a backup."""
    return {
        path: f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def damaged_files(name: str, folder: Path, copied: Mapping[str, str]) -> list[str]:
    """The files of a model or snapshot that its manifest lists with other checksums, or the manifest itself."""
    manifest = MANIFESTS[name.partition("/")[0]]
    try:
        listed = json.loads((folder / manifest).read_text(encoding="utf-8")).get("files", {})
    except (OSError, ValueError):
        return [f"{name}/{manifest}"] if folder.exists() else []
    return [f"{name}/{file}" for file, sha in listed.items() if copied.get(f"{name}/{file}") != sha]


def mlflow_store() -> Path | None:
    """MLflow's database where that is a local file."""
    uri = settings.MLFLOW_TRACKING_URI
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def describe(found: Found) -> str:
    """The text of the description: what restoring has to know, and what was found."""
    description = {
        "format": FORMAT,
        "version": settings.VERSION,
        "made_at": timezone.now().isoformat(),
        "database": connection.vendor,
        "migrations": sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations()),
        "mlflow_files": Path(settings.MLFLOW_ARTIFACT_DIR).as_uri(),
    }
    return json.dumps(description | vars(found), indent=1) + "\n"


def read_description(path: Callable[[str], Path]) -> dict[str, Any]:
    """What a backup says of itself; `path` gives that of its files. Raises BackupError if it cannot be used here."""
    try:
        description = json.loads(path(DESCRIPTION).read_text(encoding="utf-8"))
        made_as = description.get("format")
    except (ValueError, AttributeError) as error:
        raise BackupError(f"{DESCRIPTION}: expected the description of a backup ({error}).") from None
    if made_as != FORMAT:
        raise BackupError(f"The backup has format {made_as}; this version reads {FORMAT}.")
    for name, kind in DESCRIBED.items():
        if not isinstance(description.get(name), kind):
            raise BackupError(f"{DESCRIPTION}: expected {', '.join(DESCRIBED)}; {name} is missing or of another type.")
    return dict(description)
