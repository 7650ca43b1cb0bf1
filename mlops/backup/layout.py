"""What stands where in a backup, and on the site."""

from pathlib import Path

from django.conf import settings

DATABASE, DESCRIPTION, MLFLOW_STORE, MLFLOW_FILES = "database", "backup.json", "mlflow.db", "mlflow"
FORMAT = 1
MANIFESTS = {"models": "manifest.json", "snapshots": "snapshot.json"}


def places() -> dict[str, Path]:
    """The site's folder for each folder of files in a backup."""
    return {"models": Path(settings.MODEL_DIR), "snapshots": Path(settings.SNAPSHOT_DIR)}


def mlflow_store() -> Path | None:
    """MLflow's database where that is a local file."""
    uri = settings.MLFLOW_TRACKING_URI
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
