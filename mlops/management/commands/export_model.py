from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.delivery.transfer import export_version


class Command(ServiceCommand):
    help = (
        "Puts a version (the champion, if none is named) into a store as a package: the model's files, the data that "
        "it learnt from, and checksums. Prints the package's address, for `import_model`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=int, nargs="?", metavar="VERSION")
        parser.add_argument("--to", metavar="STORE", help="A folder, or s3://bucket/prefix (default: MODEL_STORE).")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(export_version(version=options["version"], to=options["to"]))
