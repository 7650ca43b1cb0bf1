"""The layout of a backup, the corresponding folders of the site, and the backup's description file."""

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
    """Files and folders that a backup lacks, and damaged files in it.

    `left_out` are never part of a backup. `missing` and `damaged` were missing or damaged on the site itself.
    """

    left_out: list[str]
    missing: list[str]  # folders of artefacts and snapshots
    damaged: list[str]  # files that do not match the manifest of their artefact or snapshot


def places() -> dict[str, Path]:
    """Returns the site's folders, keyed by the corresponding folder in a backup."""
    return {"models": Path(settings.MODEL_DIR), "snapshots": Path(settings.SNAPSHOT_DIR)}


def files_in(folders: Mapping[str, Path]) -> dict[Path, str]:
    """Returns all files in the site's folders as a map from path to name in a backup."""
    return {
        path: f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def damaged_files(name: str, folder: Path, copied: Mapping[str, str]) -> list[str]:
    """Returns the files of a model or snapshot that differ from its manifest, or an unreadable manifest itself."""
    manifest = MANIFESTS[name.partition("/")[0]]
    try:
        listed = json.loads((folder / manifest).read_text(encoding="utf-8")).get("files", {})
    except (OSError, ValueError):
        return [f"{name}/{manifest}"] if folder.exists() else []
    return [f"{name}/{file}" for file, sha in listed.items() if copied.get(f"{name}/{file}") != sha]


def mlflow_store() -> Path | None:
    """Returns the path of MLflow's database if it is a local file, otherwise None."""
    uri = settings.MLFLOW_TRACKING_URI
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def describe(found: Found) -> str:
    """Returns the text of the description file: `found`, and other data that a restore needs."""
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
    """Returns the backup's description. `path` returns the path for a file name.

    Raises BackupError if the description is invalid or in another format.
    """
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
