import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from movierec import bootstrap


class Command(BaseCommand):
    help = "Prepare a site, from nothing to a promoted model; with --serve, run it on 127.0.0.1 then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--serve", action="store_true", help="run web, workers and scheduler when all is ready")
        parser.add_argument("--port", type=int, default=settings.PORT, help="the port to serve at, PORT by default")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["serve"]:
                bootstrap.check_port(options["port"])
            with _terminate_as_interrupt(), _only_warnings(options["verbosity"]):
                bootstrap.prepare(say=self._say)
            if options["serve"]:
                bootstrap.serve(port=options["port"])
        except bootstrap.BootstrapError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. The next start goes on from here.")
            sys.exit(bootstrap.STOPPED)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM like Ctrl-C: what is running is ended properly, not dropped."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def _only_warnings(verbosity: int) -> Iterator[None]:
    """The steps and their times are what people want to read here; `--verbosity 2` shows the log too."""
    root = logging.getLogger()
    former = root.level
    if verbosity < 2:
        root.setLevel(logging.WARNING)
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        yield
    finally:
        root.setLevel(former)
