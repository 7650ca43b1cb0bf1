import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand, terminate_as_interrupt
from catalog.models.job import progress_text
from catalog.progress import progress_bar
from mlops.dashboard.markdown import version_report
from mlops.models import ModelVersion, PipelineRun
from mlops.registry.artifacts import folder_of
from mlops.training.forecast import Forecast
from mlops.training.job import TrainingOutcome
from mlops.training.pipeline import run_training
from mlops.training.runs import resume_run, start_training
from recommender.estimators.artifact_files import copy_folder


class Command(ServiceCommand):
    help = (
        "Trains a model here and now, judges it on later data, and promotes it if the gate and the policy let it. "
        "Ends with code 0 when the model passed or waits for a person, with 1 when the run failed or the gate refused "
        "the model, which --accept-refusal takes for a result like any other."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--algorithm", metavar="A", help="Instead of training.algorithm of config.yaml.")
        parser.add_argument(
            "--snapshot",
            metavar="HASH",
            help="Train on a snapshot (the beginning of its hash, or a folder that holds one) instead of new data.",
        )
        parser.add_argument(
            "--resume",
            type=int,
            metavar="RUN",
            help="Take up an errored run from the step that failed, with what the steps before it have made.",
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FOLDER",
            help="Leave a copy of the model's files here, and beside it FOLDER.json, which says what version it is.",
        )

        parser.add_argument(
            "--accept-refusal", action="store_true", help="End with code 0 also when the gate refuses the model."
        )
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="Write its end, figures and the gate's rules as Markdown.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with terminate_as_interrupt():
                run = self._follow(self._queued(**options))
        except KeyboardInterrupt:
            raise CommandError("Interrupted; the run is marked as cancelled.", returncode=130) from None
        if options["report"]:
            _write_report(run, options["report"])
        is_refused = run.outcome == TrainingOutcome.GATE_REFUSED
        if run.status != PipelineRun.Status.SUCCEEDED and not (is_refused and options["accept_refusal"]):
            raise CommandError(f"Run {run.pk} {run.get_status_display()}. {run.message}")
        if options["out"]:
            _leave_copy(run.version, options["out"])
        self.stdout.write((self.style.WARNING if is_refused else self.style.SUCCESS)(run.message))

    def _queued(self, *, resume: int | None, algorithm: str | None, snapshot: str | None, **_: Any) -> PipelineRun:
        if resume is None:
            return start_training(trigger=PipelineRun.Trigger.COMMAND, algorithm=algorithm, snapshot=snapshot)
        if algorithm or snapshot:
            raise CommandError("--resume continues with the run's own algorithm and snapshot.")
        return resume_run(run_id=resume, here=True)

    def _follow(self, run: PipelineRun) -> PipelineRun:
        with progress_bar(total=1, bar_format="{bar}| {elapsed} {desc}", shown=self.show_progress) as bar:

            def show(step: str, text: str, found: Forecast) -> None:
                bar.n = found.run_share
                doing = f"{step}: {text}" if text else step
                bar.set_description_str(f"{doing}, {progress_text(found.run_share, found.run_remaining_seconds)}")

            return run_training(run_id=run.pk, on_progress=show)


def _write_report(run: PipelineRun, file: Path) -> None:
    version = ModelVersion.objects.filter(run=run).first()
    file.write_text(f"{run.message}\n\n{version_report(version) if version else ''}", encoding="utf-8")


def _leave_copy(version: ModelVersion, folder: Path) -> None:
    copy_folder(folder_of(version), folder)
    record = {"version": version.pk, "algorithm": version.algorithm, "checksum": version.artifact_checksum}
    record |= {"snapshot": version.snapshot.content_hash, "config_hash": version.config_hash}
    folder.with_name(f"{folder.name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
