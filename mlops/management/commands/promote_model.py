from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.registry.promotion import promote


class Command(ServiceCommand):
    help = "Makes a version that passed the gate the champion. With --force also one that did not, for a stated reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=int, metavar="VERSION")
        parser.add_argument("--force", action="store_true", help="Against the gate; needs --reason.")
        parser.add_argument("--reason", default="", help="Why, for the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        promotion = promote(version=options["version"], force=options["force"], reason=options["reason"])
        before = f" instead of {promotion.previous_id}" if promotion.previous_id else ""
        self.stdout.write(self.style.SUCCESS(f"Version {promotion.version_id} is the champion{before}."))
