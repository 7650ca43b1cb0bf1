import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.management.base import terminate_as_interrupt
from movierec import bootstrap


class Command(BaseCommand):
    help = "Prepare a site, from an empty database to a promoted model; with --serve, then run it on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--serve", action="store_true", help="run web, workers and scheduler afterwards")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port of the site (default: PORT)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["serve"]:
                bootstrap.check_port(options["port"])
            with terminate_as_interrupt(), _only_warnings(options["verbosity"]):
                bootstrap.prepare(echo=self._echo)
            if options["serve"]:
                bootstrap.serve(port=options["port"])
        except bootstrap.BootstrapError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. The next start continues from here.")
            sys.exit(bootstrap.STOPPED)

    def _echo(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _only_warnings(verbosity: int) -> Iterator[None]:
    """Hides log lines below WARNING among the steps; `--verbosity 2` shows them."""
    root = logging.getLogger()
    former = root.level
    if verbosity < 2:
        root.setLevel(logging.WARNING)
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        yield
    finally:
        root.setLevel(former)
