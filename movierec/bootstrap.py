"""From a fresh clone to a site that is ready to be served; each step does nothing when it was done before."""

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

from catalog.models import Movie, Rating
from mlops.models import PipelineRun
from mlops.services import ensure_schedules, sweep_runs
from recommender.models import ServedModel

Say = Callable[[str], object]
STOPPED = 130  # exit code of a command that a person or a supervisor stopped
LOADING = "sample.part"  # stands in VAR_DIR while the sample is being loaded: the next start goes on with it


class BootstrapError(Exception):
    """Something a person has to put right before the site can start."""


def check_port(port: int) -> None:
    """Raises BootstrapError when somebody listens at the port, before anything is prepared in vain."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BootstrapError(
                f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}); another program, maybe another copy of "
                f"this site, listens there. Choose another port: PORT={port + 1} make run"
            ) from None


def prepare(*, say: Say) -> None:
    """Database, static files, schedules, movies, a first model and a staff account; says what it does."""
    say(f"Movierec {settings.VERSION}, {_where()}")
    with _step("Database", say):
        call_command("migrate", verbosity=0, interactive=False)
    with _step("Static files", say):
        _collect_static()
    with _step("Schedules", say):
        ensure_schedules()
    loading = Path(settings.VAR_DIR) / LOADING
    if loading.exists() or not Movie.objects.exists():
        with _step("Sample movies and ratings", say):
            loading.touch()
            call_command("load_sample")
            loading.unlink()
    if not ServedModel.objects.filter(slot=ServedModel.Slot.CHAMPION).exists() and Rating.objects.exists():
        with _step("First model", say):
            _train(say)
    if not get_user_model().objects.filter(is_staff=True).exists():
        _create_staff(say)


def serve(*, port: int) -> NoReturn:
    """Becomes supervisord, which runs web, workers and Beat; so that signals reach it without a detour."""
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
def _step(name: str, say: Say) -> Iterator[None]:
    say(f"==> {name}")
    started = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - started:.1f} s")


def _collect_static() -> None:
    """Compressing takes seconds, so it is done again only when a file changed."""
    files = [storage.path(path) for finder in get_finders() for path, storage in finder.list([])]
    state = "\n".join(f"{path} {Path(path).stat().st_size} {Path(path).stat().st_mtime_ns}" for path in sorted(files))
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state, encoding="utf-8")


def _train(say: Say) -> None:
    """A model that does not pass, or too few ratings, is no reason not to serve: popular movies are shown then."""
    _wait_for_lost_run(say)
    try:
        call_command("train_model")
    except CommandError as error:
        if error.returncode == STOPPED:
            raise KeyboardInterrupt from None
        say(f"    No model was promoted: {error}")
        say("    The site shows popular movies until one is: train again in the admin, or with `make train`.")


def _wait_for_lost_run(say: Say) -> None:
    """A run whose process was killed counts as running until its heartbeat is too old; then it can be repeated."""
    sweep_runs()
    deadline = time.monotonic() + settings.POLICY.training.stale_after_seconds + 5
    active = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE)
    if active.exists():
        say("    A training of an earlier start has not ended; waiting until it does or is given up ...")
    while active.exists() and time.monotonic() < deadline:
        time.sleep(1)
        sweep_runs()


def _create_staff(say: Say) -> None:
    password = secrets.token_urlsafe(12)
    users = get_user_model().objects
    name = next(name for name in ("admin", f"admin-{secrets.token_hex(3)}") if not users.filter(username=name).exists())
    users.create_superuser(username=name, email="", password=password)
    say(f"==> Staff account for /admin/: {name} with password {password}  (shown this once; change it there)")
