from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlops.errors import MLOpsError
from mlops.services import promote


class Command(BaseCommand):
    help = "Makes a version that passed the gate the champion. With --force also one that did not, for a stated reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=int, metavar="VERSION")
        parser.add_argument("--force", action="store_true", help="Against the gate; needs --reason.")
        parser.add_argument("--reason", default="", help="Why, for the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            promotion = promote(version=options["version"], force=options["force"], reason=options["reason"])
        except MLOpsError as error:
            raise CommandError(str(error)) from None
        before = f" instead of {promotion.previous_id}" if promotion.previous_id else ""
        self.stdout.write(self.style.SUCCESS(f"Version {promotion.version_id} is the champion{before}."))
