import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.progress import progress_bar
from mlops.dashboard.report import figure_rows, rule_lines
from mlops.findings import Outcome
from mlops.gate.versions import evaluate_version
from mlops.models import GateDecision


class Command(ServiceCommand):
    help = (
        "Evaluates a version again on the later part of its own data, against the baselines and today's champion. "
        "Ends with code 1 when the gate refuses it, unless --accept-refusal is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "version", type=_version, metavar="VERSION", help="Its number, or the file that `train_model --out` left."
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="Write the figures and the decision as JSON.")

        parser.add_argument(
            "--accept-refusal", action="store_true", help="End with code 0 also when the gate refuses the version."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(unit="step", shown=self.show_progress) as bar:

            def show(text: str, done: int, total: int) -> None:
                bar.total, bar.n = total, done
                bar.set_description_str(text)

            decision = evaluate_version(version=options["version"], on_progress=show)
        for row in figure_rows(decision.version.figures):
            self.stdout.write(row.line())
        for line in rule_lines(decision.findings):
            self.stdout.write(line)
        if options["out"]:
            options["out"].write_text(json.dumps(_metrics(decision), indent=1) + "\n", encoding="utf-8")
        if decision.outcome == GateDecision.Outcome.REFUSED and not options["accept_refusal"]:
            raise CommandError(f"The gate refuses version {decision.version_id}.")
        self.stdout.write(self.style.SUCCESS(f"Version {decision.version_id}: {decision.get_outcome_display()}."))


def _version(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return int(json.loads(Path(text).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ArgumentTypeError(f"{text!r} is neither a version's number nor a file that names one") from None


def _metrics(decision: GateDecision) -> dict[str, Any]:
    """Returns the figures that are the same in every run. Omits lists, because DVC does not show them."""
    figures = decision.version.figures
    summary = figures["models"]["candidate"]["summary"]
    failed = ", ".join(finding.key for finding in decision.findings if finding.outcome == Outcome.FAILED)
    return {"decision": decision.outcome, "failed": failed, **summary, "differences": figures["differences"]}
