from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import LongCommand
from catalog.progress import progress_bar
from mlops.dashboard.report import backtest_lines
from mlops.models import Backtest
from mlops.monitoring.backtests import backtest


class Command(LongCommand):
    help = (
        "Evaluates the champion's recipe again on later data: without each kind of features, or trained on older data. "
        "Saves the result; a bad one is not an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=Backtest.Kind.values)

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(bar_format="{elapsed} {desc}", shown=self.show_progress) as bar:
            row = backtest(kind=options["kind"], on_progress=bar.set_description_str)
        for line in backtest_lines(row.figures):
            self.stdout.write(line)
        self.stdout.write(f"Version {row.version_id}: {row.summary}")
