"""Codes of the monitoring checks and alerts, with their titles and sentences.

An alert shows the sentences of its findings (see `Alert.message` in mlops/models/monitoring.py). A finding shows the
sentence of its `message`, if it has one, or else that of its code. All checks of shares use `Message.PSI`.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.errors import ArtifactNotAvailable, NothingToRollBackTo, NotPromotable
from mlops.findings import Text, register


class AlertCode(TextChoices):
    """Codes of alerts that have no check. Every other alert has the code of its check."""

    AUTO_ROLLBACK = "auto_rollback", _("Auto-rollback of the champion")
    BACKUP_FAILED = "backup_failed", _("Backup")
    DRIFT = "drift", _("Drift")
    MLFLOW = "mlflow", _("Mirror in MLflow")
    RETRAINING = "retraining", _("Retraining")
    SCHEDULES = "schedules", _("Schedules")
    SYNC_FAILED = "sync_failed", _("Sync with {provider}")
    TRAINING_FAILED = "training_failed", _("Training")


class AutoRollbackCode(TextChoices):
    ERRORS = "canary.errors", _("Failed lists")
    LATENCY = "canary.latency", _("Latency of lists")
    ONLINE_METRICS = "canary.online_metrics", _("Online metrics")
    DONE = "auto_rollback.done", _("Result")
    SWITCHED_OFF = "auto_rollback.switched_off", _("Result")
    REFUSED = "auto_rollback.refused", _("Result")


class DependencyCode(TextChoices):
    CHAMPION_FILES = "dependency.champion_files", _("Files of the champion")
    CHAMPION_LIBRARIES = "dependency.champion_libraries", _("Libraries of the champion")
    COUNTER = "dependency.counter", _("Counter of rate limits")
    DISK = "dependency.disk", _("Disk")
    PINNED_LIBRARIES = "dependency.pinned_libraries", _("Pinned libraries")
    TMDB = "dependency.tmdb", _("TMDB")


class EvidenceCode(TextChoices):
    """Codes of evidence for the ML Test Score that combines several checks."""

    DEPENDENCIES = "dependency.all", _("Dependencies")


class DriftCode(TextChoices):
    RATINGS = "drift.rating_distribution", _("Rating distribution")
    SOURCES = "drift.source_mix", _("Source mix")
    NEW_USERS = "drift.new_user_share", _("New-user share")
    NEW_MOVIES = "drift.new_movie_share", _("New-movie share")
    GENRES = "drift.genre_mix", _("Genre mix")
    SCORES = "drift.score_distribution", _("Score distribution")
    ACTIVITY = "drift.activity", _("Activity")
    COVERAGE = "drift.coverage", _("Coverage of shown lists")
    DIVERSITY = "drift.diversity", _("Diversity of shown lists")
    ONLINE_METRICS = "drift.online_metrics", _("Online metrics")


class RetrainingCode(TextChoices):
    NO_CHAMPION = "retraining.no_champion", _("No champion")
    NEW_MOVIES = "retraining.new_movies", _("New movies")
    NEW_RATINGS = "retraining.new_ratings", _("New ratings")
    ONLINE_METRICS = "retraining.online_metrics", _("Fall of online metrics")
    DRIFT = "retraining.drift", _("Drift")
    CHAMPION_AGE = "retraining.champion_age", _("Age of the champion")
    NOT_INTERESTED = "retraining.not_interested", _("Not-interested share")


class RetrainingResult(TextChoices):
    """The results of a retraining check."""

    NOT_MET = "retraining.not_met", _("No criterion is met")
    PAUSED = "retraining.paused", _("Paused")
    ACTIVE = "retraining.active", _("Already training")
    STARTED = "retraining.started", _("Started")


class FeatureCode(TextChoices):
    """Kinds of movie features. `backtests.COLUMNS` lists their columns."""

    GENRES = "feature.genres", _("genres")
    YEAR = "feature.year", _("year")
    KEYWORDS = "feature.keywords", _("keywords")
    PEOPLE = "feature.people", _("people")
    WORDS = "feature.words", _("words")
    LANGUAGE = "feature.language", _("language")
    COUNTRIES = "feature.countries", _("countries")
    FEATURES = "feature.features", _("all features")


class ListsCode(TextChoices):
    """Kinds of lists on which an ablation compares models."""

    ALL = "lists.all", _("lists")
    NEW_MOVIES = "lists.new_movies", _("lists of new movies")


class AblationCode(TextChoices):
    """Outcomes of an ablation."""

    BENEFICIAL = "ablation.beneficial", _("beneficial")
    UNCLEAR = "ablation.unclear", _("unclear")
    HARMFUL = "ablation.harmful", _("harmful")


class SkewCode(TextChoices):
    INPUTS = "skew.inputs", _("Skew of serving inputs")
    METADATA = "skew.metadata", _("Skew of movie metadata")
    SCORES = "skew.scores", _("Skew of served scores")


class StalenessCode(TextChoices):
    SCHEDULER = "staleness.scheduler", _("Heartbeat of the scheduler")
    CHAMPION = "staleness.champion", _("Promotion of the champion")
    CHAMPION_DATA = "staleness.champion_data", _("Data of the champion")
    LATEST_RATING = "staleness.latest_rating", _("Latest rating")
    LATEST_MOVIE = "staleness.latest_movie", _("Latest movie")
    LATEST_IMPORT = "staleness.latest_import", _("Latest import")
    LATEST_DRIFT_REPORT = "staleness.latest_drift_report", _("Latest drift report")
    BACKUP = "staleness.backup", _("Latest backup")


class Message(TextChoices):
    """Codes of sentences that several checks share or that depend on the result, with the sentences as labels."""

    TOO_FEW_REQUESTS = "canary.too_few_requests", _("{n} requests in the window; {needed} are needed.")
    TOO_FEW_RATINGS = (
        "canary.too_few_ratings",
        _("{n} new positive ratings, {n_previous} for the previous champion; each needs {needed}."),
    )
    LATENCY_REGRESSED = (
        "canary.latency_regressed",
        # xgettext:no-python-format
        _(
            "95% of the lists took up to {figure:g} ms; the limit is {threshold:g} ms, because the previous champion "
            "took {previous_ms:g} ms."
        ),
    )
    LATENCY_UNMEASURED = (
        "canary.latency_unmeasured",
        # xgettext:no-python-format
        _("More than 5% of the lists took longer than the slowest measured class; the limit is {threshold:g} ms."),
    )
    TMDB_CONFIGURATION = "dependency.tmdb_configuration", _("TMDB's configuration changed: {keys}.")
    UNREACHABLE = "dependency.unreachable", _("No answer.")
    UNCHANGED = "dependency.unchanged", _("No change.")
    PSI = "drift.psi", _("PSI {figure:.3f}, {chance:.3f} expected by chance.")
    BY_CHANCE = (
        "drift.by_chance",
        _("{measure} {figure:.3f} is large, but chance alone produces it too often (p = {p:.2f})."),
    )
    RATINGS_NEEDED = "drift.ratings_needed", _("Each window needs {needed} ratings.")
    SCORED_NEEDED = (
        "drift.scored_ratings_needed",
        _("Each window needs {needed} scored ratings, and the earlier one at least one hit."),
    )
    USERS_NEEDED = "drift.users_needed", _("Each window needs {needed} users with ratings.")
    LISTS_NEEDED = "drift.lists_needed", _("Each window needs {needed} personal lists shown.")
    WEEKS_NEEDED = (
        "drift.weeks_needed",
        _("The {weeks} weeks before need {needed} ratings in all, and some in each week."),
    )
    NO_ACTIVITY_BEFORE = "drift.no_activity_before", _("The median week before has no ratings.")
    TOO_FEW_SCORED = (
        "retraining.too_few_scored",
        _("{n_before} and {n_recent} scored ratings; each window needs {needed}."),
    )
    # Only for rows from before feedback was counted per user and list. The same applies to the text of NOT_INTERESTED
    # below.
    TOO_FEW_FEEDBACK = "retraining.too_few_feedback", _("Users acted on {n} recommendations; {needed} are needed.")
    TOO_FEW_PEOPLE = (
        "retraining.too_few_people",
        _(
            "Beside the most active person, {n_people} people acted on {n_lists} lists that they were shown; "
            "{needed_people} people and {needed_lists} lists are needed."
        ),
    )
    UNWANTED = (
        "retraining.unwanted",
        _(
            "On average {figure:.0%} of the movies that a person acted on were unwanted, without the person with most "
            "({n_people} others, {n_lists} shown lists); the limit is {threshold:.0%}."
        ),
    )
    BROKEN_RULES = (
        "skew.broken_rules",
        _("{n_rows} ratings of {n_users} users checked; {n_bad} rows break a data rule: {rules}."),
    )
    DIFFERENT = (
        "skew.metadata_differs",
        _("{n} unchanged movies compared in {n_fields} fields; {n_differ} differ: {movies}."),
    )
    NO_HISTORY = "skew.no_history", _("No user has rated a movie that the champion knows.")
    NO_SNAPSHOT = "skew.no_snapshot", _("The champion's snapshot cannot be read: {error}")
    NEVER = "staleness.never", _("There is none yet; the limit is {limit}.")


SENTENCES: dict[str, Text] = {
    **{message: message.label for message in Message},
    AlertCode.BACKUP_FAILED: _("The backup failed: {error}"),
    AlertCode.SCHEDULES: _("{schedule} is never sent: {error}"),
    AlertCode.SYNC_FAILED: _("The sync stopped early: {error}"),
    AlertCode.TRAINING_FAILED: _("Run {run} ended with an error: {error}"),
    AutoRollbackCode.ERRORS: _(
        "{n_failed} of {n} lists failed ({figure:.1%}); the limit is {threshold:.1%}, beyond chance."
    ),
    # xgettext:no-python-format
    AutoRollbackCode.LATENCY: _("95% of the lists took up to {figure:g} ms; the limit is {threshold:g} ms."),
    AutoRollbackCode.ONLINE_METRICS: _(
        "Online nDCG@10 is {ndcg:.4f}, {figure:+.4f} [{low:+.4f}, {high:+.4f}] from the previous champion's; the limit "
        "is {threshold:g}, beyond chance."
    ),
    AutoRollbackCode.DONE: _("Version {version} was rolled back; version {champion} is the champion again."),
    AutoRollbackCode.SWITCHED_OFF: _("Version {version} stays the champion because automatic rollback is off."),
    AutoRollbackCode.REFUSED: _("Rolling back version {version} failed: {error}"),
    DependencyCode.CHAMPION_FILES: _("Version {version} cannot be served: {error}"),
    DependencyCode.CHAMPION_LIBRARIES: _("Version {version} was trained with other libraries ({n}): {changes}."),
    DependencyCode.COUNTER: _("Redis cannot count requests, so the database does: {error}"),
    DependencyCode.DISK: _("Nothing can be written below {folder} (VAR_DIR): {error}"),
    DependencyCode.PINNED_LIBRARIES: _("Installed versions differ from requirements.txt ({n}): {changes}."),
    DependencyCode.TMDB: _("TMDB answered unexpectedly: {error}"),
    DriftCode.SCORES: _("D {figure:.3f}, {chance:.3f} expected by chance."),
    DriftCode.ACTIVITY: _("The median week has {figure:.0%} of the ratings of the median week before."),
    DriftCode.COVERAGE: _("An equal number of lists shows {figure:.0%} of the distinct movies shown before."),
    DriftCode.DIVERSITY: _("The mean diversity of a list is {diversity:.3f}, {diversity_before:.3f} before."),
    DriftCode.ONLINE_METRICS: _("The hit rate is {hit_rate:.3f}, {hit_rate_before:.3f} before."),
    RetrainingResult.NOT_MET: _("No criterion is met."),
    RetrainingResult.PAUSED: _("Paused: run {run} was started by a criterion less than {pause_hours:g} h ago."),
    RetrainingResult.ACTIVE: _("A training is queued or running already."),
    RetrainingResult.STARTED: _("Training run {run} was started."),
    RetrainingCode.NO_CHAMPION: _(
        "There is no champion. A training needs {threshold:g} ratings; there are {figure:g}."
    ),
    RetrainingCode.NEW_MOVIES: _("{figure:g} movies were added since the champion's data; the limit is {threshold:g}."),
    RetrainingCode.NEW_RATINGS: _("{figure:g} ratings came since the champion's data; the limit is {threshold:g}."),
    RetrainingCode.ONLINE_METRICS: _("The hit rate fell by {figure:.0%} (p = {p:.3f}); the limit is {threshold:.0%}."),
    RetrainingCode.DRIFT: _("{figure:g} drift reports in a row raised an alert; the limit is {threshold:g}."),
    RetrainingCode.CHAMPION_AGE: _("The champion is {figure:.1f} days old; the limit is {threshold:g}."),
    RetrainingCode.NOT_INTERESTED: _(
        "{figure:.0%} of {n} recommendations that users acted on were unwanted; the limit is {threshold:.0%}."
    ),
    SkewCode.INPUTS: _("{n_rows} ratings of {n_users} users checked; none breaks a data rule."),
    SkewCode.METADATA: _("{n} unchanged movies compared in {n_fields} fields; none differs."),
    SkewCode.SCORES: _("{n} lists compared; the largest difference of a score is {figure:.2g}."),
    **{code: _("The age is {age}, from {at} UTC; the limit is {limit}.") for code in StalenessCode},
}

register([*AlertCode, *AutoRollbackCode, *DependencyCode, *EvidenceCode, *DriftCode, *SkewCode, *StalenessCode])
register([*RetrainingCode, *RetrainingResult, *FeatureCode, *ListsCode, *AblationCode])
WHY_NOT_ROLLED_BACK = (NothingToRollBackTo, NotPromotable, ArtifactNotAvailable)
register(titles={error.code: error.text for error in WHY_NOT_ROLLED_BACK}, sentences=SENTENCES)
