import sys
from typing import Any

from django.core.management.base import CommandParser

from catalog.aggregates import check_aggregates, repair_aggregates
from catalog.management.base import LongCommand

MEANING = {
    "figures": "count or sum of ratings",
    "popularity": "popularity",
    "titles": "what search and sorting by title go by",
    "people": "what search finds people by",
    "terms": "terms that a misspelt word is compared with",
}


class Command(LongCommand):
    help = "Compares the figures stored on each movie with its ratings and titles. Exits with code 1 on mismatches."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="repair mismatches")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = check_aggregates()
        for name, meaning in MEANING.items():
            self.stdout.write(f"{meaning}: {f'{wrong[name]:,} wrong' if name in wrong else 'right'}")
        if wrong and options["repair"]:
            repair_aggregates()
            wrong = check_aggregates()
            self.stdout.write("Repaired." if not wrong else "Something changed meanwhile; run it again.")
        if wrong:
            sys.exit(1)
