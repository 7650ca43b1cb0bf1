import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mlops.errors import MLOpsError
from mlops.models import PipelineRun
from mlops.services import run_training, start_training

STEPS = ("export", "snapshot", "checks", "fit", "evaluate", "register", "gate", "promote")


class Command(BaseCommand):
    help = (
        "Trains a model here and now, judges it on later data, and promotes it if the gate and the policy let it. "
        "Ends with code 0 when the model passed or waits for a person, with 1 when it was refused or the run failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--algorithm", metavar="A", help="Instead of training.algorithm of config.yaml.")
        parser.add_argument(
            "--snapshot",
            metavar="HASH",
            help="Train on a kept snapshot (the beginning of its hash) instead of new data.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # A supervisor's SIGTERM ends the run like Ctrl-C: as cancelled, with nothing left behind.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            run = start_training(
                trigger=PipelineRun.Trigger.COMMAND, algorithm=options["algorithm"], snapshot=options["snapshot"]
            )
            run = self._follow(run)
        except MLOpsError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted; the run is marked as cancelled.", returncode=130) from None
        finally:
            signal.signal(signal.SIGTERM, before)
        if run.status != PipelineRun.Status.SUCCEEDED:
            raise CommandError(f"Run {run.pk} {run.get_status_display()}. {run.message}")
        self.stdout.write(self.style.SUCCESS(run.message))

    def _follow(self, run: PipelineRun) -> PipelineRun:
        with tqdm(total=len(STEPS), unit="step", bar_format="{l_bar}{bar}| {elapsed} {desc}", leave=False) as bar:

            def show(step: str, text: str) -> None:
                bar.n = STEPS.index(step)
                bar.set_description_str(f"{step}: {text}" if text else step)

            return run_training(run_id=run.pk, on_progress=show)
