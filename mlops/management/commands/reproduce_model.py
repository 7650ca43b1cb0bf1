from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mlops.errors import MLOpsError
from mlops.services import reproduce_version


class Command(BaseCommand):
    help = (
        "Makes a version again from its snapshot, parameters and seed, and compares the checksums. Ends with code 1 "
        "when they differ, and says by how much and why, or when its snapshot is gone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=int, metavar="VERSION")

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(bar_format="{elapsed} {desc}", leave=False) as bar:
            try:
                found = reproduce_version(version=options["version"], on_progress=bar.set_description_str)
            except MLOpsError as error:
                raise CommandError(str(error)) from None
        if not found.is_same:
            raise CommandError(found.sentence)
        self.stdout.write(self.style.SUCCESS(found.sentence))
