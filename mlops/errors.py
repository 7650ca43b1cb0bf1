"""Errors of model operations: each has a code, whose sentence is shown if the raiser gives none, and an HTTP status."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class Code(TextChoices):
    MLOPS_ERROR = "mlops_error", _("The request conflicts with the state of the models.")
    TRAINING_ALREADY_ACTIVE = "training_already_active", _("Another training is already active.")
    RUN_NOT_ACTIVE = "run_not_active", _("The run is not active.")
    RUN_NOT_RESUMABLE = "run_not_resumable", _("The run cannot be resumed.")
    RUN_NOT_FOUND = "run_not_found", _("There is no such run.")
    UNKNOWN_ALGORITHM = "unknown_algorithm", _("There is no such algorithm.")
    INVALID_SPACE = "invalid_space", _("The algorithm does not accept the search space.")
    SEARCH_RUNS_ELSEWHERE = "search_runs_elsewhere", _("Another process runs this search.")
    NOTHING_TO_ADOPT = "nothing_to_adopt", _("The search found nothing to adopt.")
    NOTHING_TO_TEST = "nothing_to_test", _("There is nothing to backtest.")
    SNAPSHOT_NOT_AVAILABLE = "snapshot_not_available", _("The files of the snapshot are not available.")
    VERSION_NOT_FOUND = "version_not_found", _("There is no such version.")
    ARTIFACT_NOT_AVAILABLE = "artifact_not_available", _("The files of the version are not available.")
    NOT_PROMOTABLE = "not_promotable", _("The version cannot be promoted.")
    NOT_REFUSABLE = "not_refusable", _("The version cannot be refused.")
    REASON_REQUIRED = "reason_required", _("Give a reason.")
    NOTHING_TO_ROLL_BACK_TO = "nothing_to_roll_back_to", _("There is no version to roll back to.")
    NOT_RELEASABLE = "not_releasable", _("The row cannot be released from quarantine.")
    ALREADY_WITHDRAWN = "already_withdrawn", _("The choice is already withdrawn.")
    SNAPSHOT_NOT_FOUND = "snapshot_not_found", _("There is no such snapshot.")
    DATA_REMOTE_ERROR = "data_remote_error", _("DVC or its remote failed.")
    NO_DATA_REMOTE = "no_data_remote", _("There is no DVC remote, or DVC is not installed.")
    INVALID_EVIDENCE = "invalid_evidence", _("The file does not hold results of the test suite.")
    STEP_FAILED = "step_failed", _("The training ended because its data or its result are not good enough.")
    RUN_CANCELLED = "run_cancelled", _("The run was cancelled.")
    RUN_LOST = "run_lost", _("The run was ended by another process.")


class MLOpsError(DomainError, code=Code.MLOPS_ERROR, status=409): ...


class TrainingAlreadyActive(MLOpsError, code=Code.TRAINING_ALREADY_ACTIVE): ...


class RunNotActive(MLOpsError, code=Code.RUN_NOT_ACTIVE): ...


class RunNotResumable(MLOpsError, code=Code.RUN_NOT_RESUMABLE): ...


class RunNotFound(MLOpsError, code=Code.RUN_NOT_FOUND, status=404): ...


class UnknownAlgorithm(MLOpsError, code=Code.UNKNOWN_ALGORITHM, status=400): ...


class InvalidSpace(MLOpsError, code=Code.INVALID_SPACE, status=400):
    """The algorithm does not accept a range in tuning.spaces of config.yaml."""


class SearchRunsElsewhere(MLOpsError, code=Code.SEARCH_RUNS_ELSEWHERE): ...


class NothingToAdopt(MLOpsError, code=Code.NOTHING_TO_ADOPT): ...


class NothingToTest(MLOpsError, code=Code.NOTHING_TO_TEST):
    """A backtest that has nothing to compare."""


class SnapshotNotAvailable(MLOpsError, code=Code.SNAPSHOT_NOT_AVAILABLE): ...


class VersionNotFound(MLOpsError, code=Code.VERSION_NOT_FOUND, status=404): ...


class ArtifactNotAvailable(MLOpsError, code=Code.ARTIFACT_NOT_AVAILABLE):
    """The version's files are missing, truncated or changed."""


class NotPromotable(MLOpsError, code=Code.NOT_PROMOTABLE): ...


class NotRefusable(MLOpsError, code=Code.NOT_REFUSABLE): ...


class ReasonRequired(MLOpsError, code=Code.REASON_REQUIRED, status=400): ...


class NothingToRollBackTo(MLOpsError, code=Code.NOTHING_TO_ROLL_BACK_TO): ...


class NotReleasable(MLOpsError, code=Code.NOT_RELEASABLE): ...


class AlreadyWithdrawn(MLOpsError, code=Code.ALREADY_WITHDRAWN): ...


class SnapshotNotFound(MLOpsError, code=Code.SNAPSHOT_NOT_FOUND, status=404): ...


class DataRemoteError(MLOpsError, code=Code.DATA_REMOTE_ERROR):
    """DVC or its remote failed; the message says how."""


class NoDataRemote(DataRemoteError, code=Code.NO_DATA_REMOTE):
    """No remote is set, or DVC is not installed."""


class InvalidEvidence(MLOpsError, code=Code.INVALID_EVIDENCE, status=400):
    """The file does not hold results of the test suite."""


class StepFailed(MLOpsError, code=Code.STEP_FAILED):
    """An expected end of a training: the data or the result are not good enough, and the message says why."""


class RunCancelled(MLOpsError, code=Code.RUN_CANCELLED):
    """A person cancelled the run."""


class RunLost(MLOpsError, code=Code.RUN_LOST):
    """Another process marked the run as ended while it was working; it must not write any more."""
