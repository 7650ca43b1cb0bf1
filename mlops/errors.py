"""Errors of model operations, each with a code and a status for the API and a sentence for people."""

from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class MLOpsError(DomainError):
    code = "mlops_error"
    status = 409
    default_message = _("The request conflicts with the state of the models.")


class TrainingAlreadyActive(MLOpsError):
    code = "training_already_active"
    default_message = _("Another training is already active.")


class RunNotActive(MLOpsError):
    code = "run_not_active"
    default_message = _("The run is not active.")


class RunNotResumable(MLOpsError):
    code = "run_not_resumable"
    default_message = _("The run cannot be resumed.")


class RunNotFound(MLOpsError):
    code = "run_not_found"
    status = 404
    default_message = _("There is no such run.")


class UnknownAlgorithm(MLOpsError):
    code = "unknown_algorithm"
    status = 400
    default_message = _("There is no such algorithm.")


class InvalidSpace(MLOpsError):
    """The algorithm does not accept a range in tuning.spaces of config.yaml."""

    code = "invalid_space"
    status = 400
    default_message = _("The algorithm does not accept the search space.")


class SearchRunsElsewhere(MLOpsError):
    code = "search_runs_elsewhere"
    default_message = _("Another process runs this search.")


class NothingToAdopt(MLOpsError):
    code = "nothing_to_adopt"
    default_message = _("The search found nothing to adopt.")


class NothingToTest(MLOpsError):
    """A backtest that has nothing to compare."""

    code = "nothing_to_test"
    default_message = _("There is nothing to backtest.")


class SnapshotNotAvailable(MLOpsError):
    code = "snapshot_not_available"
    default_message = _("The files of the snapshot are not available.")


class VersionNotFound(MLOpsError):
    code = "version_not_found"
    status = 404
    default_message = _("There is no such version.")


class ArtifactNotAvailable(MLOpsError):
    """The version's files are missing, truncated or changed."""

    code = "artifact_not_available"
    default_message = _("The files of the version are not available.")


class NotPromotable(MLOpsError):
    code = "not_promotable"
    default_message = _("The version cannot be promoted.")


class NotRefusable(MLOpsError):
    code = "not_refusable"
    default_message = _("The version cannot be refused.")


class ReasonRequired(MLOpsError):
    code = "reason_required"
    status = 400
    default_message = _("Give a reason.")


class NothingToRollBackTo(MLOpsError):
    code = "nothing_to_roll_back_to"
    default_message = _("There is no version to roll back to.")


class NotReleasable(MLOpsError):
    code = "not_releasable"
    default_message = _("The row cannot be released from quarantine.")


class AlreadyWithdrawn(MLOpsError):
    code = "already_withdrawn"
    default_message = _("The choice is already withdrawn.")


class SnapshotNotFound(MLOpsError):
    code = "snapshot_not_found"
    status = 404
    default_message = _("There is no such snapshot.")


class DataRemoteError(MLOpsError):
    """DVC or its remote failed; the message says how."""

    code = "data_remote_error"
    default_message = _("DVC or its remote failed.")


class NoDataRemote(DataRemoteError):
    """No remote is set, or DVC is not installed."""

    code = "no_data_remote"
    default_message = _("There is no DVC remote, or DVC is not installed.")


class InvalidEvidence(MLOpsError):
    """The file does not hold results of the test suite."""

    code = "invalid_evidence"
    status = 400
    default_message = _("The file does not hold results of the test suite.")


class StepFailed(MLOpsError):
    """An expected end of a training: the data or the result are not good enough, and the message says why."""

    code = "step_failed"
    default_message = _("The training ended because its data or its result are not good enough.")


class RunCancelled(MLOpsError):
    """A person cancelled the run."""

    code = "run_cancelled"
    default_message = _("The run was cancelled.")


class RunLost(MLOpsError):
    """Another process marked the run as ended while it was working; it must not write any more."""

    code = "run_lost"
    default_message = _("The run was ended by another process.")
