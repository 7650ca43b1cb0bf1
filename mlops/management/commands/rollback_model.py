from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.registry.promotion import roll_back


class Command(ServiceCommand):
    help = "Brings back the champion that the current one replaced, or the former champion --to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=int, metavar="VERSION", help="A former champion.")
        parser.add_argument("--reason", default="", help="Why, for the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        promotion = roll_back(to=options["to"], reason=options["reason"])
        self.stdout.write(
            self.style.SUCCESS(
                f"Version {promotion.version_id} is the champion again, instead of {promotion.previous_id}."
            )
        )
