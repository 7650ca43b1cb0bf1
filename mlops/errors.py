"""What can be wrong with a request to the model operations, for people; `code` and `status` are for the API."""


class MLOpsError(Exception):
    code = "mlops_error"
    status = 409


class TrainingAlreadyActive(MLOpsError):
    code = "training_already_active"


class RunNotActive(MLOpsError):
    code = "run_not_active"


class RunNotResumable(MLOpsError):
    code = "run_not_resumable"


class RunNotFound(MLOpsError):
    code = "run_not_found"
    status = 404


class UnknownAlgorithm(MLOpsError):
    code = "unknown_algorithm"
    status = 400


class InvalidSpace(MLOpsError):
    """What config.yaml wants to be searched is not what the algorithm takes."""

    code = "invalid_space"
    status = 400


class SearchRunsElsewhere(MLOpsError):
    code = "search_runs_elsewhere"


class NothingToAdopt(MLOpsError):
    code = "nothing_to_adopt"


class NothingToTest(MLOpsError):
    """A backtest that would say nothing about the champion."""

    code = "nothing_to_test"


class SnapshotNotAvailable(MLOpsError):
    code = "snapshot_not_available"


class VersionNotFound(MLOpsError):
    code = "version_not_found"
    status = 404


class ArtifactNotAvailable(MLOpsError):
    """The version's files are gone, cut or changed."""

    code = "artifact_not_available"


class NotPromotable(MLOpsError):
    code = "not_promotable"


class NotRefusable(MLOpsError):
    code = "not_refusable"


class ReasonRequired(MLOpsError):
    code = "reason_required"
    status = 400


class NothingToRollBackTo(MLOpsError):
    code = "nothing_to_roll_back_to"


class NotReleasable(MLOpsError):
    code = "not_releasable"


class AlreadyWithdrawn(MLOpsError):
    code = "already_withdrawn"


class SnapshotNotFound(MLOpsError):
    code = "snapshot_not_found"
    status = 404


class DataRemoteError(MLOpsError):
    """DVC, or the remote behind it, did not do what was asked."""

    code = "data_remote_error"


class NoDataRemote(DataRemoteError):
    """None is set, or DVC is not there to use it."""

    code = "no_data_remote"


class InvalidEvidence(MLOpsError):
    """A file that should hold results of the test suite does not."""

    code = "invalid_evidence"
    status = 400


class StepFailed(MLOpsError):
    """An expected end of a training run: the data or the result are not good enough, and the message says why."""

    code = "step_failed"


class RunCancelled(MLOpsError):
    """Somebody asked the run to stop."""

    code = "run_cancelled"


class RunLost(MLOpsError):
    """The run was marked as ended by somebody else while it went on; it must not write anything any more."""

    code = "run_lost"
