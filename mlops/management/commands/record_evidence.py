from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.test_score.suites import record_evidence


class Command(ServiceCommand):
    help = "Keeps what runs of the test suite (`pytest --evidence FILE`) showed, for the ML Test Score."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="+", type=Path, help="files that the test suite wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["path"]:
            self.stdout.write(f"{path}: evidence for {record_evidence(path)} of the 28 tests")
