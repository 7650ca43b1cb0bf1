from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import LongCommand
from mlops.delivery.fetch import fetch_versions


class Command(LongCommand):
    help = (
        "Brings the files of the champion, and of the version that a rollback would restore, from MODEL_STORE to a "
        "host that lacks them, such as one whose disk does not outlive a restart. Every byte is checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--version-number", type=int, metavar="VERSION", help="This version's files instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        fetched = fetch_versions(version=options["version_number"])
        names = ", ".join(str(version.pk) for version in fetched)
        self.stdout.write(self.style.SUCCESS(f"Fetched: {names}." if names else "Every file is here already."))
