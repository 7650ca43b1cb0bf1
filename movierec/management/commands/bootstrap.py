"""Prepares a site from a fresh clone. Skips steps that are already done."""

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

from catalog import setup
from catalog.jobs.reaper import proof_seconds, requeue_stale
from catalog.management.base import terminate_as_interrupt
from catalog.models import Movie, Rating
from mlops.models import PipelineRun
from mlops.schedules import ensure_schedules
from movierec import environment
from movierec.programs import become
from recommender.models import ServedModel

Echo = Callable[[str], object]
STOPPED = 130  # exit code of a command stopped by a user or a supervisor
SENTINEL = "sample.part"  # file in VAR_DIR while the sample loads, so that the next start resumes an interrupted load


class Command(BaseCommand):
    help = "Prepare a site, from an empty database to a promoted model; with --serve, then run it on this computer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--serve", action="store_true", help="run web, workers and scheduler afterwards")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port of the site (default: PORT)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["serve"]:
                check_port(options["port"])
                check_port(settings.HEALTH_PORT, name="HEALTH_PORT")
            with terminate_as_interrupt(), _only_warnings(options["verbosity"]):
                prepare(echo=self._echo)
            if options["serve"]:
                serve(port=options["port"])
            call_command("setup_link", "--if-open", stdout=self.stdout)
        except KeyboardInterrupt:
            self.stderr.write("Stopped. The next start continues from here.")
            sys.exit(STOPPED)

    def _echo(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _only_warnings(verbosity: int) -> Iterator[None]:
    """Hide log lines below WARNING during the steps, unless `--verbosity 2` is set."""
    root = logging.getLogger()
    former = root.level
    if verbosity < 2:
        root.setLevel(logging.WARNING)
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        yield
    finally:
        root.setLevel(former)


def loopback() -> str:
    """Return the loopback address on which `make run` listens: ::1 if set in HOST, otherwise 127.0.0.1."""
    return "::1" if environment.text("HOST").strip("[]") == "::1" else "127.0.0.1"


def check_port(port: int, *, name: str = "PORT") -> None:
    """Raise CommandError if the port is in use. Called before any preparation."""
    host = loopback()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {host} cannot be used ({error.strerror}); another program, maybe another copy of "
                f"this site, is using it. Choose another port: {name}={port + 1} make run"
            ) from None


def prepare(*, echo: Echo) -> None:
    """Prepare the database, static files, schedules, movies, a first model and a staff account. Reports each step."""
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
    if ServedModel.champion() is None and Rating.objects.exists():
        with _step("First model", echo):
            _train(echo)
    if setup.is_open() and (name := os.environ.get("DJANGO_SUPERUSER_USERNAME")):
        _create_superuser(name, echo)


def serve(*, port: int) -> NoReturn:
    """Replace this process with supervisord, which runs web, workers and Beat."""
    (settings.VAR_DIR / "log").mkdir(exist_ok=True)
    folder = Path(sys.executable).parent
    become(
        "supervisord",
        "--configuration",
        str(settings.BASE_DIR / "deploy" / "supervisord.conf"),
        PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        SITE_DIR=str(settings.BASE_DIR),
        VAR_DIR=str(settings.VAR_DIR),
        HOST=loopback(),
        PORT=str(port),
        HEALTH_PORT=str(settings.HEALTH_PORT),
        MESSAGES_DIR="" if settings.REDIS_URL else str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]),
        MAKE_PID=str(os.getppid()) if "MAKELEVEL" in os.environ else "",
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
    """Collect static files if one has changed. Compressing them takes seconds."""
    files = [storage.path(path) for finder in get_finders() for path, storage in finder.list([])]
    state = "\n".join(f"{path} {Path(path).stat().st_size} {Path(path).stat().st_mtime_ns}" for path in sorted(files))
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state, encoding="utf-8")


def _train(echo: Echo) -> None:
    """Train the first model. If the gate rejects it or there are too few ratings, the site shows popular movies."""
    _wait_for_lost_run(echo)
    try:
        call_command("train_model")
    except CommandError as error:
        if error.returncode == STOPPED:
            raise KeyboardInterrupt from None
        echo(f"    No model was promoted: {error}")
        echo("    Until one is, the site shows popular movies. To train again, use the admin or `make train`.")


def _wait_for_lost_run(echo: Echo) -> None:
    """Wait for a run whose process was killed on another host. It stays active until its heartbeat is stale."""
    requeue_stale(PipelineRun.KIND)
    deadline = time.monotonic() + settings.POLICY.training.stale_after_seconds + proof_seconds() + 5
    active = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE)
    if active.exists():
        echo("    A training of an earlier start is still marked as running; waiting for its end ...")
    while active.exists() and time.monotonic() < deadline:
        time.sleep(1)
        requeue_stale(PipelineRun.KIND)


def _create_superuser(name: str, echo: Echo) -> None:
    """Create a staff account for automated installations. Uses the variables of Django's `createsuperuser`."""
    password = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
    if not password:
        raise CommandError("DJANGO_SUPERUSER_USERNAME is set, so DJANGO_SUPERUSER_PASSWORD has to be set, too.")
    users = get_user_model().objects
    if users.filter(username=name).exists():
        raise CommandError(f"DJANGO_SUPERUSER_USERNAME: {name} is a user already, without the rights of staff.")
    users.create_superuser(username=name, email=os.environ.get("DJANGO_SUPERUSER_EMAIL", ""), password=password)
    echo(f"==> Staff account for /admin/: {name}")
