"""Base classes of management commands."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from catalog.errors import DomainError


class ServiceCommand(BaseCommand):
    """Reports domain errors as command errors. Shows progress unless `--verbosity 0` is given."""

    show_progress = True

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.show_progress = options["verbosity"] > 0
        try:
            return super().execute(*args, **options)
        except DomainError as error:
            raise CommandError(str(error)) from None


class LongCommand(ServiceCommand):
    """A command that can be interrupted by Ctrl-C or SIGTERM and run again. It then exits with code 130."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with terminate_as_interrupt():
                return super().execute(*args, **options)
        except OperationalError as error:
            raise CommandError(
                f"Database error: {str(error).strip()}. Completed work was saved. Please try again."
            ) from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped. What was written stays; the same command continues from there.")
            raise SystemExit(130) from None


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Handles SIGTERM like Ctrl-C, so that work ends cleanly. Does nothing outside the main thread."""
    try:
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
