import signal
import sys
from types import FrameType
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
        signal.signal(signal.SIGTERM, _stop)
        try:
            if options["serve"]:
                bootstrap.check_port(options["port"])
            bootstrap.prepare(say=self._say)
            if options["serve"]:
                bootstrap.serve(port=options["port"])
        except bootstrap.BootstrapError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. The next start goes on from here.")
            sys.exit(130)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM like Ctrl-C: what is running is ended properly, not dropped."""
    raise KeyboardInterrupt
