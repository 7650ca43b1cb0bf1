"""DVC's project and its program; the site keeps one remote in it, that of DVC_REMOTE_URL."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.errors import DataRemoteError

REMOTE = "storage"
TIMEOUT_SECONDS = 3600


def prepare_project() -> None:
    """Creates DVC's project if needed and sets the remote of the environment. DVC's own four commands take seconds."""
    project, url = Path(settings.DVC_DIR), settings.DVC_REMOTE_URL
    if not (project / ".dvc").is_dir():
        (project / ".dvc").mkdir(parents=True)
        (project / ".dvc" / "config").write_text("[core]\nno_scm = true\nanalytics = false\n", encoding="utf-8")
    place = url if "://" in url else str((project / url).resolve())
    remote = {"url": f'"{place}"', "verify": "true"}  # without `verify`, DVC does not hash what it pulls
    config, file = ConfigParser(interpolation=None), project / ".dvc" / "config.local"
    config.read(file, encoding="utf-8")  # an operator may have more there
    config.read_dict({"core": {"remote": REMOTE}, f"'remote \"{REMOTE}\"'": remote})
    with file.open("w", encoding="utf-8") as opened:
        config.write(opened)


def program() -> str | None:
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if beside.is_file() else shutil.which("dvc")


def run_dvc(*arguments: str) -> None:
    limits: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "check": True}
    try:
        subprocess.run([str(program()), *arguments], cwd=settings.DVC_DIR, capture_output=True, text=True, **limits)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        raise DataRemoteError(f"dvc {arguments[0]} failed: {lines[-1]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataRemoteError(f"dvc {arguments[0]} failed: {error}") from error
