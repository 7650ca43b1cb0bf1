import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from catalog.errors import CatalogError


class LongCommand(BaseCommand):
    """A command that takes its time: progress where somebody looks, errors for people, 130 when it was stopped."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with _terminate_as_interrupt():
                return super().execute(*args, **options)
        except CatalogError as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            raise CommandError(
                f"The database failed: {str(error).strip()}. What was written stays; try again."
            ) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. What was written stays; the same command goes on from there.")
            raise SystemExit(130) from None

    @property
    def show_progress(self) -> bool:
        return sys.stderr.isatty()


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, in order. Outside the main thread signals are not ours."""
    try:
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
