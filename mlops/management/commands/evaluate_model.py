import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mlops.dashboard.report import figure_rows, rule_lines
from mlops.errors import MLOpsError
from mlops.models import GateVerdict
from mlops.services import evaluate_version


class Command(BaseCommand):
    help = (
        "Judges a version again on the later part of its own data: against the baselines and today's champion. "
        "Ends with code 1 when the gate refuses it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "version", type=_version, metavar="VERSION", help="Its number, or the file that `train_model --out` left."
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="Write the figures and the verdict as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(unit="step", leave=False) as bar:

            def show(text: str, done: int, total: int) -> None:
                bar.total, bar.n = total, done
                bar.set_description_str(text)

            try:
                verdict = evaluate_version(version=options["version"], on_progress=show)
            except MLOpsError as error:
                raise CommandError(str(error)) from None
        for row in figure_rows(verdict.version.figures):
            self.stdout.write(row.line())
        for line in rule_lines(verdict.rules):
            self.stdout.write(line)
        if options["out"]:
            options["out"].write_text(json.dumps(_metrics(verdict), indent=1) + "\n", encoding="utf-8")
        if verdict.decision == GateVerdict.Decision.REFUSED:
            raise CommandError(f"The gate refuses version {verdict.version_id}.")
        self.stdout.write(self.style.SUCCESS(f"Version {verdict.version_id}: {verdict.get_decision_display()}."))


def _version(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return int(json.loads(Path(text).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ArgumentTypeError(f"{text!r} is neither a version's number nor a file that names one") from None


def _metrics(verdict: GateVerdict) -> dict[str, Any]:
    """What does not differ from one run to the next."""
    figures = verdict.version.figures
    summary = figures["models"]["candidate"]["summary"]
    return {"decision": verdict.decision, **summary, "differences": figures["differences"]}
