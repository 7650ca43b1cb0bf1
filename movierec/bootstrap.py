"""Prepares a site from a fresh clone, step by step; each step does nothing if it was done before."""

import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command

from catalog.jobs.reaper import PROOF_SECONDS, requeue_stale
from catalog.models import Movie, Rating
from mlops.models import PipelineRun
from mlops.services import ensure_schedules
from recommender.models import ServedModel

Echo = Callable[[str], object]
STOPPED = 130  # exit code of a command that a person or a supervisor stopped
SENTINEL = "sample.part"  # exists in VAR_DIR while the sample is loading: the next start resumes an interrupted load


class BootstrapError(Exception):
    """A problem that a person must fix before the site can start."""


def check_port(port: int) -> None:
    """Raises BootstrapError if the port is in use, before any preparation."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BootstrapError(
                f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}); another program, maybe another copy of "
                f"this site, is using it. Choose another port: PORT={port + 1} make run"
            ) from None


def prepare(*, echo: Echo) -> None:
    """Prepares database, static files, schedules, movies, a first model and a staff account; reports each step."""
    echo(f"Movierec {settings.VERSION}, {_where()}")
    with _step("Database", echo):
        call_command("migrate", verbosity=0, interactive=False)
    with _step("Static files", echo):
        _collect_static()
    with _step("Schedules", echo):
        ensure_schedules()
    loading = Path(settings.VAR_DIR) / SENTINEL
    if loading.exists() or not Movie.objects.exists():
        with _step("Sample movies and ratings", echo):
            loading.touch()
            call_command("load_sample")
            loading.unlink()
    if not ServedModel.objects.filter(slot=ServedModel.Slot.CHAMPION).exists() and Rating.objects.exists():
        with _step("First model", echo):
            _train(echo)
    if not get_user_model().objects.filter(is_staff=True).exists():
        _create_staff(echo)


def serve(*, port: int) -> NoReturn:
    """Replaces this process by supervisord, which runs web, workers and Beat, so that signals reach it directly."""
    program = shutil.which("supervisord", path=str(Path(sys.executable).parent))
    if program is None:
        raise BootstrapError("supervisord is not installed in this environment: pip install -r requirements.txt")
    (settings.VAR_DIR / "log").mkdir(exist_ok=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "SITE_DIR": str(settings.BASE_DIR),
        "VAR_DIR": str(settings.VAR_DIR),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "MAKE_PID": str(os.getppid()) if "MAKELEVEL" in os.environ else "",
    }
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(
        program, [program, "--configuration", str(settings.BASE_DIR / "deploy" / "supervisord.conf")], environment
    )


def _where() -> str:
    database = f"SQLite in {settings.VAR_DIR}" if settings.EMBEDDED else "the database of DATABASE_URL"
    broker = "the broker of REDIS_URL" if settings.REDIS_URL else "a broker of files"
    return f"with {database} and {broker}"


@contextmanager
def _step(name: str, echo: Echo) -> Iterator[None]:
    echo(f"==> {name}")
    started = time.monotonic()
    yield
    echo(f"    done in {time.monotonic() - started:.1f} s")


def _collect_static() -> None:
    """Compressing takes seconds, so it runs only if a file changed."""
    files = [storage.path(path) for finder in get_finders() for path, storage in finder.list([])]
    state = "\n".join(f"{path} {Path(path).stat().st_size} {Path(path).stat().st_mtime_ns}" for path in sorted(files))
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state, encoding="utf-8")


def _train(echo: Echo) -> None:
    """Without a promoted model (it fails the gate, or there are too few ratings) the site shows popular movies."""
    _wait_for_lost_run(echo)
    try:
        call_command("train_model")
    except CommandError as error:
        if error.returncode == STOPPED:
            raise KeyboardInterrupt from None
        echo(f"    No model was promoted: {error}")
        echo("    Until one is, the site shows popular movies. To train again, use the admin or `make train`.")


def _wait_for_lost_run(echo: Echo) -> None:
    """A run whose process was killed on another host counts as running until its heartbeat is stale."""
    requeue_stale(PipelineRun.KIND)
    deadline = time.monotonic() + settings.POLICY.training.stale_after_seconds + PROOF_SECONDS + 5
    active = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE)
    if active.exists():
        echo("    A training of an earlier start is still marked as running; waiting for its end ...")
    while active.exists() and time.monotonic() < deadline:
        time.sleep(1)
        requeue_stale(PipelineRun.KIND)


def _create_staff(echo: Echo) -> None:
    password = secrets.token_urlsafe(12)
    users = get_user_model().objects
    name = next(name for name in ("admin", f"admin-{secrets.token_hex(3)}") if not users.filter(username=name).exists())
    users.create_superuser(username=name, email="", password=password)
    echo(f"==> Staff account for /admin/: {name} with password {password}  (shown only now; change it there)")
