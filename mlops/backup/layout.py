"""What stands where in a backup, and on the site; and what a backup says of itself."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

DATABASE, DESCRIPTION, MLFLOW_STORE, MLFLOW_FILES = "database", "backup.json", "mlflow.db", "mlflow"
FORMAT = 1
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
