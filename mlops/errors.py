"""Errors of model operations. Each has a code, an HTTP status, and a default text."""

from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class MLOpsError(
    DomainError, code="mlops_error", text=_("The request conflicts with the state of the models."), status=409
): ...


class TrainingAlreadyActive(
    MLOpsError, code="training_already_active", text=_("Another training is already active.")
): ...


class RunNotActive(MLOpsError, code="run_not_active", text=_("The run is not active.")): ...


class RunNotResumable(MLOpsError, code="run_not_resumable", text=_("The run cannot be resumed.")): ...


class RunNotFound(MLOpsError, code="run_not_found", text=_("There is no such run."), status=404): ...


class UnknownAlgorithm(MLOpsError, code="unknown_algorithm", text=_("There is no such algorithm."), status=400): ...


class InvalidSpace(
    MLOpsError, code="invalid_space", text=_("The algorithm does not accept the search space."), status=400
):
    """A range in tuning.spaces of config.yaml is not valid for the algorithm."""


class SearchRunsElsewhere(MLOpsError, code="search_runs_elsewhere", text=_("Another process runs this search.")): ...


class NothingToAdopt(MLOpsError, code="nothing_to_adopt", text=_("The search found nothing to adopt.")): ...


class NothingToTest(MLOpsError, code="nothing_to_test", text=_("There is nothing to backtest.")): ...


class SnapshotNotAvailable(
    MLOpsError, code="snapshot_not_available", text=_("The files of the snapshot are not available.")
): ...


class VersionNotFound(MLOpsError, code="version_not_found", text=_("There is no such version."), status=404): ...


class ArtifactNotAvailable(
    MLOpsError, code="artifact_not_available", text=_("The files of the version are not available.")
):
    """The version's files are missing, truncated or changed."""


class MirrorIncomplete(MLOpsError, code="mirror_incomplete", text=_("MLflow lacks something of ours.")): ...


class MirrorBusy(MLOpsError, code="mirror_busy", text=_("Another process is writing to MLflow.")): ...


class NotPromotable(MLOpsError, code="not_promotable", text=_("The version cannot be promoted.")): ...


class NotRefusable(MLOpsError, code="not_refusable", text=_("The version cannot be refused.")): ...


class ReasonRequired(MLOpsError, code="reason_required", text=_("Give a reason."), status=400): ...


class NothingToRollBackTo(
    MLOpsError, code="nothing_to_roll_back_to", text=_("There is no version to roll back to.")
): ...


class NotReleasable(MLOpsError, code="not_releasable", text=_("The row cannot be released from quarantine.")): ...


class AlreadyWithdrawn(MLOpsError, code="already_withdrawn", text=_("The choice is already withdrawn.")): ...


class SnapshotNotFound(MLOpsError, code="snapshot_not_found", text=_("There is no such snapshot."), status=404): ...


class DataRemoteError(MLOpsError, code="data_remote_error", text=_("DVC or its remote failed.")):
    """DVC or its remote failed. The message gives the reason."""


class NoDataRemote(
    DataRemoteError, code="no_data_remote", text=_("There is no DVC remote, or DVC is not installed.")
): ...


class BackupError(MLOpsError, code="backup_error", text=_("A backup could not be written or cannot be restored.")): ...


class NoBackupFolder(BackupError):
    """Raised if no folder for backups is set."""


class PackageError(MLOpsError, code="package_error", text=_("The package of a model cannot be written or used.")): ...


class ForeignCatalogue(
    PackageError, code="foreign_catalogue", text=_("The model was trained on the catalog of another site.")
): ...


class InvalidEvidence(
    MLOpsError, code="invalid_evidence", text=_("The file does not hold results of the test suite."), status=400
): ...


class StepFailed(
    MLOpsError, code="step_failed", text=_("The training ended because its data or its result are not good enough.")
):
    """An expected failure of a training: its data or result is not good enough. The message says why."""


class RunCancelled(MLOpsError, code="run_cancelled", text=_("The run was cancelled.")): ...


class RunLost(MLOpsError, code="run_lost", text=_("The run was ended by another process.")):
    """The run was marked as ended by another process while it was working. It must stop writing."""
