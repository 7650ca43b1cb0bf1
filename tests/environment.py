"""Loaded by pytest before Django's settings. Gives each run its own folder, database and Redis prefix."""

import atexit
import os
import shutil
import sys
import tempfile
import uuid

_RUN = uuid.uuid4().hex[:12]
_folder = tempfile.mkdtemp(prefix="movierec-test-")
os.mkdir(os.path.join(_folder, "static"))  # noqa: PTH102, PTH118 (WhiteNoise warns when there is none)
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

# Allows bytecode. Without it, each of the hundreds of processes started by tests would compile the same files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

os.environ |= {
    "ENV_FILE": os.path.join(_folder, "no.env"),  # noqa: PTH118 (a developer's .env must not change the tests)
    "VAR_DIR": _folder,
    "SECRET_KEY": "tests-only",
    "REDIS_PREFIX": f"movierec-test-{_RUN}",
    "METRICS_TOKEN": "tests-only-metrics-token",
    "EMAIL_URL": "memorymail://",
    "ALERT_EMAILS": "",
    "ALERT_WEBHOOK_URL": "",
    "MOVIELENS_PATH": "",
    "MOVIELENS_URL": "",
    "TMDB_READ_TOKEN": "",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
    "REDIS_URL": os.environ.get("TEST_REDIS_URL", ""),
    "OPENBLAS_NUM_THREADS": "1",
}
for name in (
    "BACKUP_KEY",
    "BACKUP_KEY_FILE",
    "CONFIG_FILE",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_MODEL_NAME",
    "MODEL_DIR",
    "MODEL_STORE",
    "SNAPSHOT_DIR",
    "CACHE_URL",
    "HTTPS",
    "DEBUG",
):
    os.environ.pop(name, None)

RUN_ID = _RUN
