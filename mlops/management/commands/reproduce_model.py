from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.progress import progress_bar
from mlops.training.reproduction import reproduce_version


class Command(ServiceCommand):
    help = (
        "Makes a version again from its snapshot, parameters and seed, and compares the checksums. Ends with code 1 "
        "when they differ, and says by how much and why, or when its snapshot is gone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=int, metavar="VERSION")

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(bar_format="{elapsed} {desc}", shown=self.show_progress) as bar:
            found = reproduce_version(version=options["version"], on_progress=bar.set_description_str)
        if not found.is_same:
            raise CommandError(found.sentence)
        self.stdout.write(self.style.SUCCESS(found.sentence))
