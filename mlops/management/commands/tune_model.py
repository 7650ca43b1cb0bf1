from argparse import ArgumentTypeError
from typing import Any

import yaml
from django.core.management.base import CommandParser

from catalog.management.base import LongCommand
from catalog.progress import progress_bar
from mlops.dashboard.report import difference_text
from mlops.models import TuningStudy, TuningTrial
from mlops.tuning.choices import adopt_parameters, searched
from mlops.tuning.search import tune


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")
    return int(text)


class Command(LongCommand):
    help = (
        "Searches for hyper-parameters on later data that the gate does not judge by (tuning in config.yaml). "
        "Stopped or killed, the same command continues from the last finished trial. "
        "What it finds is printed, and used by trainings only with --adopt or once it is adopted in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--algorithm", metavar="A", help="Instead of training.algorithm of config.yaml.")
        parser.add_argument("--trials", type=_count, metavar="N", help="Instead of tuning.trials of config.yaml.")
        parser.add_argument("--snapshot", metavar="HASH", help="Search on a kept snapshot instead of new data.")
        parser.add_argument("--restart", action="store_true", help="Do not continue a search that was stopped.")
        parser.add_argument("--adopt", action="store_true", help="Let trainings use the best, if it is better.")

    def handle(self, *args: Any, **options: Any) -> None:
        names = {"algorithm": "algorithm", "trials": "n_trials", "snapshot": "snapshot", "restart": "restart"}
        with progress_bar(unit="trial", shown=self.show_progress) as bar:
            study = tune(**{names[key]: options[key] for key in names}, on_trial=lambda *found: _show(bar, *found))
        self._print(study)
        if options["adopt"] and _is_better(study):
            choice = adopt_parameters(study=study.pk)
            self.stdout.write(self.style.SUCCESS(f"Adopted as choice {choice.pk}: the next training uses it."))

    def _print(self, study: TuningStudy) -> None:
        for trial in study.trials.all():
            ndcg = "-" if trial.ndcg is None else f"{trial.ndcg:.4f}"
            name = "used now" if trial.number == 0 else f"trial {trial.number}"
            self.stdout.write(f"{name:<10} {trial.get_status_display():<14} {ndcg:>7}  {_parameters(trial)}")
        best = study.best
        if best is None or best.number == 0:
            self.stdout.write(f"Search {study.pk}: nothing is better than what is used now.")
            return
        self.stdout.write(f"Search {study.pk}: trial {best.number} is the best; nDCG above what is used now, 95 %: ")
        self.stdout.write(f"{difference_text(study.difference)}. As config.yaml would hold it:")
        found = {"training": {"parameters": {study.algorithm: searched(best)}}}
        self.stdout.write(yaml.safe_dump(found, sort_keys=False))


def _show(bar: Any, study: TuningStudy, trial: TuningTrial) -> None:
    bar.total, bar.n = study.n_trials + 1, trial.number + 1
    best = study.best
    bar.set_description_str(f"best nDCG {best.ndcg:.4f}" if best is not None else "no trial finished")


def _is_better(study: TuningStudy) -> bool:
    return bool(study.difference and study.difference["mean"] is not None and study.difference["mean"] > 0)


def _parameters(trial: TuningTrial) -> str:
    values = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in trial.parameters.items()}
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "chosen by the fit"
