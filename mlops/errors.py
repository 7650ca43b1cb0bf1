"""Errors of model operations. Each has a code, an HTTP status, and a default text."""

from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class MLOpsError(
    DomainError, code="mlops_error", text=_("The request conflicts with the current state of the models."), status=409
): ...


class TrainingAlreadyActive(
    MLOpsError, code="training_already_active", text=_("Another training is already active.")
): ...


class RunNotActive(MLOpsError, code="run_not_active", text=_("The run is not active.")): ...


class RunNotResumable(MLOpsError, code="run_not_resumable", text=_("The run cannot be resumed.")): ...


class RunNotFound(MLOpsError, code="run_not_found", text=_("Run not found."), status=404): ...


class UnknownAlgorithm(MLOpsError, code="unknown_algorithm", text=_("Unknown algorithm."), status=400): ...


class InvalidSpace(
    MLOpsError, code="invalid_space", text=_("The algorithm does not accept the search space."), status=400
):
    """A range in tuning.spaces of config.yaml is not valid for the algorithm."""


class SearchRunsElsewhere(
    MLOpsError, code="search_runs_elsewhere", text=_("Another process is already running this search.")
): ...


class NothingToAdopt(MLOpsError, code="nothing_to_adopt", text=_("The search has no result to adopt.")): ...


class NothingToTest(MLOpsError, code="nothing_to_test", text=_("There is no model to backtest.")): ...


class SnapshotNotAvailable(
    MLOpsError, code="snapshot_not_available", text=_("The files of the snapshot are not available.")
): ...


class VersionNotFound(MLOpsError, code="version_not_found", text=_("Version not found."), status=404): ...


class ArtifactNotAvailable(
    MLOpsError, code="artifact_not_available", text=_("The files of the version are not available.")
):
    """The version's files are missing, truncated or changed."""


class MirrorIncomplete(MLOpsError, code="mirror_incomplete", text=_("MLflow is missing data of this site.")): ...


class MirrorBusy(MLOpsError, code="mirror_busy", text=_("Another process is writing to MLflow.")): ...


class NotPromotable(MLOpsError, code="not_promotable", text=_("The version cannot be promoted.")): ...


class NotRefusable(MLOpsError, code="not_refusable", text=_("The version cannot be rejected.")): ...


class ReasonRequired(MLOpsError, code="reason_required", text=_("Give a reason."), status=400): ...


class NothingToRollBackTo(
    MLOpsError, code="nothing_to_roll_back_to", text=_("There is no version to roll back to.")
): ...


class NotReleasable(MLOpsError, code="not_releasable", text=_("The row cannot be released from quarantine.")): ...


class AlreadyWithdrawn(MLOpsError, code="already_withdrawn", text=_("The choice has already been withdrawn.")): ...


class SnapshotNotFound(MLOpsError, code="snapshot_not_found", text=_("Snapshot not found."), status=404): ...


class DataRemoteError(MLOpsError, code="data_remote_error", text=_("DVC or its remote reported an error.")):
    """DVC or its remote failed. The message gives the reason."""


class NoDataRemote(
    DataRemoteError, code="no_data_remote", text=_("No DVC remote is configured, or DVC is not installed.")
): ...


class BackupError(MLOpsError, code="backup_error", text=_("The backup could not be written or restored.")): ...


class NoBackupFolder(BackupError):
    """Raised if no folder for backups is set."""


class PackageError(MLOpsError, code="package_error", text=_("The model package cannot be written or used.")): ...


class ForeignCatalogue(
    PackageError, code="foreign_catalogue", text=_("The model was trained on another site's catalogue.")
): ...


class InvalidEvidence(
    MLOpsError, code="invalid_evidence", text=_("The file does not contain test suite results."), status=400
): ...


class StepFailed(
    MLOpsError,
    code="step_failed",
    text=_("The training was stopped because its data or result did not meet the requirements."),
):
    """An expected failure of a training: its data or result is not good enough. The message says why."""


class RunCancelled(MLOpsError, code="run_cancelled", text=_("The run was cancelled.")): ...


class RunLost(MLOpsError, code="run_lost", text=_("The run was stopped by another process.")):
    """The run was marked as ended by another process while it was working. It must stop writing."""
