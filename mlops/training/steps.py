"""The steps of a training, in order. Each step stores its figures and result, from which a retry continues.

The result is a snapshot, an artefact, a version, or the `result` of the row. A retry reads and checks the data again.
"""

import logging
import shutil
from typing import Any

import pandas as pd
from django.conf import settings
from django.db import transaction
from threadpoolctl import threadpool_limits

from catalog.jobs.queue import attempt_of
from mlops.data.snapshots import keep_snapshot, write_snapshot
from mlops.data.validation import checked_frames
from mlops.errors import RunLost, StepFailed
from mlops.evaluation.comparison import evaluate_candidate
from mlops.evaluation.lineage import code_revision, fitting_libraries, fitting_threads, recipe_hash
from mlops.evaluation.open_parameters import choose_parameters
from mlops.evaluation.parameters import from_json, to_json
from mlops.gate.versions import decide_version
from mlops.models import DatasetSnapshot, GateDecision, ModelVersion, PipelineRun, Promotion, RunStep
from mlops.registry.artifacts import run_smoke_test, size_of
from mlops.registry.mlflow_sync import mirror
from mlops.registry.promotion import promote
from mlops.registry.retention import prune_artifacts
from mlops.registry.smoke_test_input import smoke_test_input
from mlops.training.job import RunFailed, TrainingOutcome, artifact_name, partial_snapshot_name
from mlops.training.monitor import RunMonitor
from recommender.estimators import ArtifactError, Dataset, artifact_checksum, load_recommender
from recommender.estimators.progress import reporting
from recommender.evaluation.baselines import fitter

logger = logging.getLogger(__name__)

Version = ModelVersion.Status
Activity = RunStep.Activity
Ending = tuple[TrainingOutcome, dict[str, Any]]


class TrainingRun:
    """Executes one run. Steps pass their results on as attributes."""

    ratings: pd.DataFrame
    movies: pd.DataFrame
    dataset: Dataset
    parameters: dict[str, Any]
    threads: int
    figures: dict[str, Any]

    def __init__(self, run: PipelineRun, monitor: RunMonitor) -> None:
        self.run, self.monitor = run, monitor
        self.folder = settings.MODEL_DIR / artifact_name(run.pk)
        self.champion = ModelVersion.objects.filter(status=Version.CHAMPION).first()
        self.is_mirrored = True
        self._results = dict(
            RunStep.objects.filter(run=run, status=RunStep.Status.SUCCEEDED).values_list("name", "result")
        )

    def execute(self) -> Ending:
        """Executes the steps that are not done yet. Returns the run's outcome with its details."""
        version = ModelVersion.objects.filter(run=self.run).select_related("snapshot").first()
        if version is None or not self._is_done("register"):
            version = self.train()
        else:
            self._restore_champion(version.figures.get("champion_version"))
        decision = version.decisions.first() if self._is_done("gate") else None
        ending = self.promote(version, decision or self.gate(version))
        self._mirror(version)
        prune_artifacts()
        return ending

    def train(self) -> ModelVersion:
        """Executes the steps from the export to the registration. Returns the registered version."""
        with threadpool_limits(limits=fitting_threads(), user_api="blas"):
            snapshot = self.run.snapshot or self.export()
            self.check(snapshot)
            self.fit()
            self.evaluate()
        return self.register(snapshot)

    def _is_done(self, step: str) -> bool:
        return step in self._results

    def export(self) -> DatasetSnapshot:
        partial = settings.SNAPSHOT_DIR / partial_snapshot_name(self.run.pk)
        with self.monitor.step("export") as step:
            content = write_snapshot(partial, lambda n: self.monitor.announce(step, Activity.WRITING_RATINGS, done=n))
            step.figures = {"ratings": content.n_ratings, "movies": content.n_movies}
            minimum = settings.POLICY.training.min_ratings
            if content.n_ratings < minimum:
                raise RunFailed(TrainingOutcome.TOO_FEW_RATINGS, n=content.n_ratings, minimum=minimum)
        with self.monitor.step("snapshot") as step:
            snapshot = keep_snapshot(partial, content)
            PipelineRun.objects.filter(pk=self.run.pk).update(snapshot=snapshot)
            step.figures = {"hash": snapshot.content_hash, "bytes": snapshot.size_bytes, "users": snapshot.n_users}
        return snapshot

    def check(self, snapshot: DatasetSnapshot) -> None:
        if self._is_done("checks"):
            logger.info("the data is read again")
            self.ratings, self.movies, _ = checked_frames(snapshot)
            return
        with self.monitor.step("checks") as step:
            try:
                self.ratings, self.movies, report = checked_frames(snapshot)
                step.figures = report.figures
            except StepFailed:
                step.figures = snapshot.check_report
                raise

    def fit(self) -> None:
        policy = settings.POLICY.training
        if self._is_done("fit") and self._has_artifact():
            self.parameters = from_json(self._results["fit"]["parameters"])
            self.threads = self._results["fit"]["threads"]
            self.dataset = Dataset.from_frames(self.ratings, self.movies, policy.implicit_threshold)
            return
        given, self.threads = from_json(self.run.parameters), fitting_threads()
        with self.monitor.step("fit") as step:
            try:
                with self.monitor.interruptible():
                    self.monitor.progress(step, Activity.CHOOSING_PARAMETERS)
                    self.parameters = choose_parameters(self.run.algorithm, given, self.ratings, self.movies)
                    self.monitor.progress(step, Activity.FITTING)
                    self.dataset = Dataset.from_frames(self.ratings, self.movies, policy.implicit_threshold)
                    with reporting(self.monitor.share_from_now()):
                        model = fitter(self.run.algorithm, policy.random_state, **self.parameters)(self.dataset)
            except (ValueError, TypeError) as error:
                raise RunFailed(TrainingOutcome.NOT_FITTED, error=str(error)) from error
            self.monitor.progress(step, Activity.SAVING)
            model.save(self.folder)
            step.figures = {"users": self.dataset.n_users, "movies": self.dataset.n_movies} | self._chosen()
            step.result = {"parameters": to_json(self.parameters), "threads": self.threads}
            step.result["checksum"] = artifact_checksum(self.folder)

    def _has_artifact(self) -> bool:
        """Returns whether the model of an earlier attempt is complete. Deletes any other model in its folder.

        The retry may run on another machine, or on a restored site that has a model of another run with the same
        number.
        """
        try:
            load_recommender(self.folder, mmap=True)
            if artifact_checksum(self.folder) != self._results["fit"].get("checksum"):
                raise ArtifactError(f"{self.folder.name} is not the model that this run has fitted")
        except ArtifactError as error:
            logger.warning("the model is fitted again: %s", error)
            shutil.rmtree(self.folder, ignore_errors=True)
            return False
        return True

    def evaluate(self) -> None:
        if self._is_done("evaluate"):
            self.figures = self._results["evaluate"]["figures"]
            self._restore_champion(self.figures["champion_version"])
            return
        with self.monitor.step("evaluate") as step:

            def progress(text: str, done: int, total: int) -> None:
                self.monitor.progress(step, Activity.EVALUATING, comes_often=True, done=done, total=total, model=text)

            with self.monitor.interruptible():
                data = {"ratings": self.ratings, "movies": self.movies}
                self.figures = evaluate_candidate(
                    self.run.algorithm, self.parameters, champion=self.champion, progress=progress, **data
                )
            self.figures["champion_version"] = self.champion.pk if self.champion else None
            step.figures = {name: found["summary"]["ndcg"] for name, found in self.figures["models"].items()}
            step.result = {"figures": self.figures}

    def _restore_champion(self, champion: int | None) -> None:
        """Loads the champion that the candidate was compared with, even if another version is champion now."""
        self.champion = ModelVersion.objects.filter(pk=champion).first() if champion else None

    def _chosen(self) -> dict[str, Any]:
        """Returns the tuned parameters."""
        return to_json({name: value for name, value in self.parameters.items() if name not in self.run.parameters})

    def register(self, snapshot: DatasetSnapshot) -> ModelVersion:
        """Runs the artefact's smoke test, creates the version's row, and mirrors it to MLflow, in this order."""
        with self.monitor.step("register") as step:
            version = ModelVersion.objects.filter(run=self.run).first()
            if version is None:
                self.monitor.progress(step, Activity.SMOKE_TEST)
                test_input = smoke_test_input(self.dataset, self.run.algorithm, settings.POLICY.training.random_state)
                self.figures["smoke_test"] = run_smoke_test(self.folder, test_input)
                version = self._create_version(snapshot)
            measured = version.figures["smoke_test"]
            step.figures = {"version": version.pk, "bytes": version.artifact_bytes} | {
                name: measured.get(name) for name in ("load_seconds", "latency_ms", "memory_mb")
            }
            self.monitor.progress(step, Activity.MLFLOW)
            self._mirror(version)
        return version

    def _mirror(self, version: ModelVersion) -> None:
        # If MLflow is down, one attempt per run is enough; `sync_registry` catches up later.
        self.is_mirrored = self.is_mirrored and mirror(version)

    def _create_version(self, snapshot: DatasetSnapshot) -> ModelVersion:
        with transaction.atomic():
            self._still_ours()
            return ModelVersion.objects.create(
                algorithm=self.run.algorithm,
                parameters=self.run.parameters,
                chosen=self._chosen(),
                run=self.run,
                snapshot=snapshot,
                config_hash=recipe_hash(self.run.algorithm, self.run.parameters),
                code_revision=code_revision(),
                random_state=settings.POLICY.training.random_state,
                libraries=fitting_libraries(),
                threads=self.threads,
                figures=self.figures,
                artifact=self.folder.name,
                artifact_checksum=artifact_checksum(self.folder),
                artifact_bytes=size_of(self.folder),
            )

    def gate(self, version: ModelVersion) -> GateDecision:
        with self.monitor.step("gate") as step:
            decision = decide_version(version, self.champion)
            step.figures = {finding.key: finding.outcome for finding in decision.findings}
            if decision.outcome == GateDecision.Outcome.REFUSED:
                self._mirror(version)
                raise RunFailed(TrainingOutcome.GATE_REFUSED, version=version.pk, **_reasons(decision))
        return decision

    def promote(self, version: ModelVersion, decision: GateDecision) -> Ending:
        details: dict[str, Any] = {"version": version.pk}
        if version.status == Version.CHAMPION:
            return TrainingOutcome.PROMOTED, details
        if decision.outcome != GateDecision.Outcome.PASSED:
            return TrainingOutcome.AWAITS_DECISION, details | _reasons(decision)
        if self.champion is not None and not settings.POLICY.promotion.automatic:
            return TrainingOutcome.AWAITS_PROMOTION, details
        with self.monitor.step("promote") as step, transaction.atomic():
            self._still_ours()
            if ModelVersion.objects.select_for_update().filter(status=Version.CHAMPION).first() != self.champion:
                return TrainingOutcome.CHAMPION_REPLACED, details
            promote(version=version.pk, kind=Promotion.Kind.AUTOMATIC)
            step.figures = details
        return TrainingOutcome.PROMOTED, details

    def _still_ours(self) -> None:
        """Locks the run's row. Raises RunLost if the run was marked as lost and must not write."""
        if not attempt_of(self.run).select_for_update().exists():
            raise RunLost


def _reasons(decision: GateDecision) -> dict[str, Any]:
    return {"decision": decision.outcome, "findings": [finding.to_dict() for finding in decision.against]}
