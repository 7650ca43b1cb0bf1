from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.ingest.movielens import import_movielens
from catalog.ingest.report import ImportReport
from catalog.management.base import LongCommand


def _percentage(text: str) -> float:
    try:
        percentage = float(text)
    except ValueError:
        percentage = -1
    if not 0 <= percentage <= 100:
        raise ArgumentTypeError(f"expected a number from 0 to 100, got {text!r}")
    return percentage


class Command(LongCommand):
    help = (
        "Imports movies, users and ratings of a MovieLens data set (ml-latest-small, ml-25m, ml-32m, ml-1m, ml-10m). "
        "Running it again changes nothing, or completes an interrupted import. Broken rows are skipped and "
        "written to a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the data set's folder or zip")
        parser.add_argument(
            "--max-rejected-percent",
            type=_percentage,
            default=1.0,
            metavar="P",
            help="import nothing if more than this share of a file's rows is broken (default 1)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = import_movielens(
            path=options["path"],
            max_rejected_share=options["max_rejected_percent"] / 100,
            show_progress=self.show_progress,
        )
        print_report(self, report)


def print_report(command: BaseCommand, report: ImportReport) -> None:
    if report.rejected or report.ignored:
        left_out = f"{report.rejected:,} broken rows were left out"
        details = f", {report.ignored:,} rows have a detail that was ignored" if report.ignored else ""
        command.stderr.write(command.style.WARNING(f"{left_out}{details}, the first of them:"))
        for line in report.first_rejects:
            command.stderr.write(f"  {line}")
        command.stderr.write(f"All of them are in {report.reject_file}")
    for line in report.lines():
        command.stdout.write(line)
