from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import LongCommand
from catalog.management.commands.import_movielens import print_report
from catalog.sample.generated import generate_ratings


def _count(text: str) -> int:
    if not (text.isascii() and text.replace("_", "").isdigit()):
        raise ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


class Command(LongCommand):
    help = (
        "Adds made-up movies, and users with preferences of their own who rate over eight years. "
        "Deterministic for the same numbers and seed; running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=_count, required=True, metavar="N")
        parser.add_argument("--movies", type=_count, required=True, metavar="N")
        parser.add_argument("--ratings", type=_count, required=True, metavar="N", help="at most users x movies / 2")
        parser.add_argument(
            "--seed", type=_count, default=0, metavar="S", help="another seed gives other users (default 0)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = {name: options[name] for name in ("users", "movies", "ratings", "seed")}
        print_report(self, generate_ratings(**numbers, show_progress=self.show_progress))
