from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from catalog.management.long_command import LongCommand
from mlops.dashboard.report import backtest_lines
from mlops.errors import MLOpsError
from mlops.models import Backtest
from mlops.services import backtest


class Command(LongCommand):
    help = (
        "Evaluates the champion's recipe again on later data: without each kind of features, or trained on older data. "
        "Saves the result; a bad one is not an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=Backtest.Kind.values)

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(bar_format="{elapsed} {desc}", leave=False, disable=not self.show_progress) as bar:
            try:
                row = backtest(kind=options["kind"], on_progress=bar.set_description_str)
            except MLOpsError as error:
                raise CommandError(str(error)) from None
        for line in backtest_lines(row.figures):
            self.stdout.write(line)
        self.stdout.write(f"Version {row.version_id}: {row.summary}")
