"""Pushes snapshots and champions to DVC's remote, and restores them on an empty host.

Uses DVC's command line. The site works without DVC. Each pushed folder has a pointer file next to it, FOLDER.dvc, which
`dvc pull` uses to find the files. The pointers are copied to the remote too, because an empty host has none.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from mlops.errors import DataRemoteError, NoDataRemote
from mlops.models import DatasetSnapshot, ModelVersion, PipelineRun
from mlops.registry.artifacts import folder_of
from recommender.estimators.artifact_files import place_artifact, replace_folder

REMOTE = "storage"
POINTERS = "pointers"  # folder on the remote
TIMEOUT_SECONDS = 3600


def push_data() -> dict[str, int]:
    """Pushes the champion with its snapshot, and the snapshots of automatic trainings, unless already pushed.

    Returns how many snapshots and models were pushed. Raises NoDataRemote, DataRemoteError.
    """
    _require_remote()
    champions = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION)
    automatic = (PipelineRun.Trigger.SCHEDULED, PipelineRun.Trigger.RETRAINING)
    is_wanted = Q(runs__trigger__in=automatic) | Q(versions__in=champions)
    present = DatasetSnapshot.objects.filter(pushed_at=None, removed_at=None, withdrawn_at=None)
    snapshots = {row: settings.SNAPSHOT_DIR / row.folder for row in present.filter(is_wanted).distinct()}
    models = {row: folder_of(row) for row in champions.filter(pushed_at=None, artifact_removed_at=None)}
    if snapshots or models:
        _prepare_project()
    for row, folder in (snapshots | models).items():
        _push(folder, {"last_rated_at": getattr(row, "last_rated_at", None)})
        type(row).objects.filter(pk=row.pk).update(pushed_at=timezone.now())
    return {"snapshots": len(snapshots), "models": len(models)}


def restore_data(*, latest: bool = False) -> list[Path]:
    """Restores the pointers and their files, and returns the folders. Raises NoDataRemote, DataRemoteError.

    With `latest`, restores only the snapshot with the latest ratings. Skips folders that are already complete. Files
    are compared with their pointers before they are moved into place, because DVC does not verify its own cache.
    """
    _require_remote()
    _prepare_project()
    with ExitStack() as stack:
        pointers = _fetch_pointers(stack)
        if latest:
            pointers = _latest(pointers)
        missing = [pointer for pointer, place in pointers.items() if _hash(place / pointer.stem) != _hash_in(pointer)]
        if missing:
            _dvc("pull", "--remote", REMOTE, *map(str, missing))
        if damaged := [pointer.stem for pointer in missing if _hash(pointer.with_suffix("")) != _hash_in(pointer)]:
            raise DataRemoteError(
                f"These differ from what was pushed: {', '.join(damaged)}. Remove DVC's cache "
                f"({Path(settings.DVC_DIR) / '.dvc' / 'cache'}), and try again."
            )
        for pointer in missing:
            _place(pointer.with_suffix(""), pointers[pointer])
        return [pointer.replace(place / pointer.name).with_suffix("") for pointer, place in pointers.items()]


def _latest(pointers: dict[Path, Path]) -> dict[Path, Path]:
    """Returns the pointer of the snapshot with the latest ratings.

    Pointers from earlier versions have no time. If no pointer has one, returns the pointers of all snapshots.
    """
    snapshots = {pointer: place for pointer, place in pointers.items() if place == Path(settings.SNAPSHOT_DIR)}
    times = {pointer: (_read(pointer).get("meta") or {}).get("last_rated_at") or "" for pointer in snapshots}
    last = max(times.values(), default="")
    return {pointer: place for pointer, place in snapshots.items() if times[pointer] == last}


def _place(pulled: Path, place: Path) -> None:
    put = place_artifact if place == Path(settings.MODEL_DIR) else replace_folder
    put(pulled, place / pulled.name)


def _read(pointer: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(pointer.read_text(encoding="utf-8")))


def _hash_in(pointer: Path) -> str:
    return str(_read(pointer)["outs"][0]["md5"])


def _hash(folder: Path) -> str:
    """Returns DVC's hash of a folder, which is a hash of the list of its files' hashes."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    listed = [{"md5": _md5(path.read_bytes()), "relpath": name} for name, path in files]
    return f"{_md5(json.dumps(listed).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _require_remote() -> None:
    if not settings.DVC_REMOTE_URL:
        raise NoDataRemote("No remote is set (DVC_REMOTE_URL in .env).")
    if _program() is None:
        raise NoDataRemote("DVC is not installed (pip install -r requirements-dvc.txt).")


def _push(folder: Path, meta: dict[str, datetime | None]) -> None:
    """Uploads the folder to the remote, and adds `meta` to its pointer.

    Only reads the folder, because web processes may have mapped its files.
    """
    project = Path(settings.DVC_DIR)
    if not folder.is_relative_to(project):
        raise DataRemoteError(f"{folder} is not below {project}: set DVC_DIR to a folder above both.")
    pointer = folder.with_name(f"{folder.name}.dvc")
    with tempfile.TemporaryDirectory(prefix=".push-", dir=folder.parent) as staging:
        target = (Path(staging) / folder.name).relative_to(project)
        _dvc("add", "--quiet", "--to-remote", "--remote", REMOTE, "--out", str(target), str(folder))
        staged = Path(staging) / pointer.name
        content = _read(staged) | {"meta": {name: time.isoformat() for name, time in meta.items() if time}}
        staged.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        staged.rename(pointer)
    _publish_pointer(pointer)


def _publish_pointer(pointer: Path) -> None:
    with _remote_pointers() as (system, folders):
        remote = next(remote for remote, place in folders.items() if place == pointer.parent)
        system.makedirs(remote, exist_ok=True)
        system.put_file(str(pointer), f"{remote}/{pointer.name}")


def _fetch_pointers(stack: ExitStack) -> dict[Path, Path]:
    """Downloads the pointers to temporary folders. Maps each pointer to the parent folder of its data."""
    fetched = {}
    with _remote_pointers() as (system, folders):
        for remote, place in folders.items():
            place.mkdir(parents=True, exist_ok=True)
            staging = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".pull-", dir=place)))
            for name in sorted(system.glob(f"{remote}/*.dvc")):
                system.get_file(name, str(staging / Path(name).name))
                fetched[staging / Path(name).name] = place
    return fetched


@contextmanager
def _remote_pointers() -> Iterator[tuple[Any, dict[str, Path]]]:
    """Yields the remote's file system, and a map of its pointer folders to our data folders."""
    # imported here, because fsspec is installed with DVC, which is optional
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    places = {"snapshots": Path(settings.SNAPSHOT_DIR), "models": Path(settings.MODEL_DIR)}
    try:
        system, root = url_to_fs(settings.DVC_REMOTE_URL)
        yield system, {f"{root.rstrip('/')}/{POINTERS}/{kind}": place for kind, place in places.items()}
    except OSError as error:
        raise DataRemoteError(f"The pointers on the remote cannot be read or written: {error}") from error


def _prepare_project() -> None:
    """Creates DVC's project if needed, and configures the remote from the environment.

    Writes the files directly, because DVC's own four commands take seconds.
    """
    project, url = Path(settings.DVC_DIR), settings.DVC_REMOTE_URL
    if not (project / ".dvc").is_dir():
        (project / ".dvc").mkdir(parents=True)
        (project / ".dvc" / "config").write_text("[core]\nno_scm = true\nanalytics = false\n", encoding="utf-8")
    place = url if "://" in url else str((project / url).resolve())
    remote = {"url": f'"{place}"', "verify": "true"}  # DVC verifies pulled files only with `verify`
    config, file = ConfigParser(interpolation=None), project / ".dvc" / "config.local"
    config.read(file, encoding="utf-8")  # keep settings that an operator has added
    config.read_dict({"core": {"remote": REMOTE}, f"'remote \"{REMOTE}\"'": remote})
    with file.open("w", encoding="utf-8") as opened:
        config.write(opened)


def _program() -> str | None:
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if beside.is_file() else shutil.which("dvc")


def _dvc(*arguments: str) -> None:
    limits: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "check": True}
    try:
        subprocess.run([str(_program()), *arguments], cwd=settings.DVC_DIR, capture_output=True, text=True, **limits)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        raise DataRemoteError(f"dvc {arguments[0]} failed: {lines[-1]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataRemoteError(f"dvc {arguments[0]} failed: {error}") from error
