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
    MLFLOW = "mlflow", _("MLflow mirror")
    RETRAINING = "retraining", _("Retraining")
    SCHEDULES = "schedules", _("Schedules")
    SYNC_FAILED = "sync_failed", _("Sync with {provider}")
    TRAINING_FAILED = "training_failed", _("Training")


class AutoRollbackCode(TextChoices):
    ERRORS = "canary.errors", _("Failed lists")
    LATENCY = "canary.latency", _("List latency")
    ONLINE_METRICS = "canary.online_metrics", _("Online metrics")
    DONE = "auto_rollback.done", _("Result")
    SWITCHED_OFF = "auto_rollback.switched_off", _("Result")
    REFUSED = "auto_rollback.refused", _("Result")


class DependencyCode(TextChoices):
    CHAMPION_FILES = "dependency.champion_files", _("Champion files")
    CHAMPION_LIBRARIES = "dependency.champion_libraries", _("Champion libraries")
    COUNTER = "dependency.counter", _("Rate limit counter")
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
    ONLINE_METRICS = "retraining.online_metrics", _("Drop in online metrics")
    DRIFT = "retraining.drift", _("Drift")
    CHAMPION_AGE = "retraining.champion_age", _("Champion age")
    NOT_INTERESTED = "retraining.not_interested", _("Share of not interested")


class RetrainingResult(TextChoices):
    """The results of a retraining check."""

    NOT_MET = "retraining.not_met", _("No criterion met")
    PAUSED = "retraining.paused", _("Paused")
    ACTIVE = "retraining.active", _("Training in progress")
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
    INPUTS = "skew.inputs", _("Serving input skew")
    METADATA = "skew.metadata", _("Movie metadata skew")
    SCORES = "skew.scores", _("Served score skew")


class StalenessCode(TextChoices):
    SCHEDULER = "staleness.scheduler", _("Scheduler heartbeat")
    CHAMPION = "staleness.champion", _("Champion promotion")
    CHAMPION_DATA = "staleness.champion_data", _("Champion data")
    LATEST_RATING = "staleness.latest_rating", _("Latest rating")
    LATEST_MOVIE = "staleness.latest_movie", _("Latest movie")
    LATEST_IMPORT = "staleness.latest_import", _("Latest import")
    LATEST_DRIFT_REPORT = "staleness.latest_drift_report", _("Latest drift report")
    BACKUP = "staleness.backup", _("Latest backup")


class Message(TextChoices):
    """Codes of sentences that several checks share or that depend on the result, with the sentences as labels."""

    TOO_FEW_REQUESTS = "canary.too_few_requests", _("{n} requests in the window; at least {needed} are required.")
    TOO_FEW_RATINGS = (
        "canary.too_few_ratings",
        _("{n} new positive ratings, {n_previous} for the previous champion; each requires at least {needed}."),
    )
    LATENCY_REGRESSED = (
        "canary.latency_regressed",
        # xgettext:no-python-format
        _(
            "The 95th percentile of list latency is {figure:g} ms. The limit is {threshold:g} ms, based on "
            "the previous champion's {previous_ms:g} ms."
        ),
    )
    LATENCY_UNMEASURED = (
        "canary.latency_unmeasured",
        # xgettext:no-python-format
        _("More than 5% of the lists exceeded the largest latency bucket. The limit is {threshold:g} ms."),
    )
    TMDB_CONFIGURATION = "dependency.tmdb_configuration", _("TMDB's configuration changed: {keys}.")
    UNREACHABLE = "dependency.unreachable", _("No response.")
    UNCHANGED = "dependency.unchanged", _("No change.")
    PSI = "drift.psi", _("PSI is {figure:.3f}; {chance:.3f} is expected by chance.")
    BY_CHANCE = (
        "drift.by_chance",
        _("{measure} {figure:.3f} is large but could be due to chance (p = {p:.2f})."),
    )
    RATINGS_NEEDED = "drift.ratings_needed", _("Each window requires at least {needed} ratings.")
    SCORED_NEEDED = (
        "drift.scored_ratings_needed",
        _("Each window requires at least {needed} scored ratings, and the earlier window requires at least one hit."),
    )
    USERS_NEEDED = "drift.users_needed", _("Each window requires at least {needed} users with ratings.")
    LISTS_NEEDED = "drift.lists_needed", _("Each window requires at least {needed} shown personal lists.")
    WEEKS_NEEDED = (
        "drift.weeks_needed",
        _("The previous {weeks} weeks require at least {needed} ratings in total and some in each week."),
    )
    NO_ACTIVITY_BEFORE = "drift.no_activity_before", _("The median of the previous weeks is zero ratings.")
    TOO_FEW_SCORED = (
        "retraining.too_few_scored",
        _("The windows have {n_before} and {n_recent} scored ratings; each requires at least {needed}."),
    )
    # Only for rows from before feedback was counted per user and list. The same applies to the text of NOT_INTERESTED
    # below.
    TOO_FEW_FEEDBACK = (
        "retraining.too_few_feedback",
        _("Users responded to {n} recommendations; at least {needed} are required."),
    )
    TOO_FEW_PEOPLE = (
        "retraining.too_few_people",
        _(
            "Apart from the most active user, {n_people} users responded to {n_lists} shown lists; at "
            "least {needed_people} users and {needed_lists} lists are required."
        ),
    )
    UNWANTED = (
        "retraining.unwanted",
        _(
            "On average, users marked {figure:.0%} of the movies they responded to as not interesting (the "
            "most active user excluded; {n_people} users, {n_lists} shown lists). The limit is "
            "{threshold:.0%}."
        ),
    )
    BROKEN_RULES = (
        "skew.broken_rules",
        _("Checked {n_rows} ratings of {n_users} users. {n_bad} rows break a data rule: {rules}."),
    )
    DIFFERENT = (
        "skew.metadata_differs",
        _("Compared {n_fields} fields of {n} unchanged movies. {n_differ} movies differ: {movies}."),
    )
    NO_HISTORY = "skew.no_history", _("No user has rated any movie that the champion knows.")
    NO_SNAPSHOT = "skew.no_snapshot", _("The champion's snapshot cannot be read: {error}")
    NEVER = "staleness.never", _("There is no data yet. The limit is {limit}.")


SENTENCES: dict[str, Text] = {
    **{message: message.label for message in Message},
    AlertCode.BACKUP_FAILED: _("The backup failed: {error}"),
    AlertCode.SCHEDULES: _("{schedule} never runs: {error}"),
    AlertCode.SYNC_FAILED: _("The sync stopped early: {error}"),
    AlertCode.TRAINING_FAILED: _("Run {run} failed with an error: {error}"),
    AutoRollbackCode.ERRORS: _(
        "{n_failed} of {n} lists failed ({figure:.1%}). This significantly exceeds the limit of {threshold:.1%}."
    ),
    # xgettext:no-python-format
    AutoRollbackCode.LATENCY: _("The 95th percentile of list latency is {figure:g} ms. The limit is {threshold:g} ms."),
    AutoRollbackCode.ONLINE_METRICS: _(
        "Online nDCG@10 is {ndcg:.4f}, a difference of {figure:+.4f} [{low:+.4f}, {high:+.4f}] from "
        "the previous champion. This is significantly below the limit of {threshold:g}."
    ),
    AutoRollbackCode.DONE: _("Version {version} was rolled back. Version {champion} is the champion again."),
    AutoRollbackCode.SWITCHED_OFF: _("Version {version} remains the champion because automatic rollback is disabled."),
    AutoRollbackCode.REFUSED: _("Version {version} could not be rolled back: {error}"),
    DependencyCode.CHAMPION_FILES: _("Version {version} cannot be served: {error}"),
    DependencyCode.CHAMPION_LIBRARIES: _(
        "Version {version} was trained with different library versions ({n}): {changes}."
    ),
    DependencyCode.COUNTER: _("Requests are counted in the database because Redis failed: {error}"),
    DependencyCode.DISK: _("Cannot write to {folder} (VAR_DIR): {error}"),
    DependencyCode.PINNED_LIBRARIES: _("Installed library versions differ from requirements.txt ({n}): {changes}."),
    DependencyCode.TMDB: _("Unexpected response from TMDB: {error}"),
    DriftCode.SCORES: _("D is {figure:.3f}; {chance:.3f} is expected by chance."),
    DriftCode.ACTIVITY: _("The median number of weekly ratings is {figure:.0%} of that of the previous weeks."),
    DriftCode.COVERAGE: _("The lists show {figure:.0%} as many distinct movies as an equal number of earlier lists."),
    DriftCode.DIVERSITY: _("The mean list diversity is {diversity:.3f}; it was {diversity_before:.3f} before."),
    DriftCode.ONLINE_METRICS: _("The hit rate is {hit_rate:.3f}; it was {hit_rate_before:.3f} before."),
    RetrainingResult.NOT_MET: _("No criterion is met."),
    RetrainingResult.PAUSED: _("Paused because run {run} was started automatically less than {pause_hours:g} h ago."),
    RetrainingResult.ACTIVE: _("A training is already queued or running."),
    RetrainingResult.STARTED: _("Training run {run} was started."),
    RetrainingCode.NO_CHAMPION: _(
        "There is no champion. There are {figure:g} ratings; a training requires {threshold:g}."
    ),
    RetrainingCode.NEW_MOVIES: _(
        "{figure:g} movies were added since the champion's data was exported. The limit is {threshold:g}."
    ),
    RetrainingCode.NEW_RATINGS: _(
        "{figure:g} ratings were added since the champion's data was exported. The limit is {threshold:g}."
    ),
    RetrainingCode.ONLINE_METRICS: _("The hit rate fell by {figure:.0%} (p = {p:.3f}). The limit is {threshold:.0%}."),
    RetrainingCode.DRIFT: _("{figure:g} consecutive drift reports raised an alert. The limit is {threshold:g}."),
    RetrainingCode.CHAMPION_AGE: _("The champion is {figure:.1f} days old. The limit is {threshold:g}."),
    RetrainingCode.NOT_INTERESTED: _(
        "Users marked {figure:.0%} of the {n} recommendations they responded to as not interesting. "
        "The limit is {threshold:.0%}."
    ),
    SkewCode.INPUTS: _("Checked {n_rows} ratings of {n_users} users. All of them satisfy the data rules."),
    SkewCode.METADATA: _("Compared {n_fields} fields of {n} unchanged movies. All of them match."),
    SkewCode.SCORES: _("Compared {n} lists. The largest score difference is {figure:.2g}."),
    **{code: _("The age is {age} (since {at} UTC). The limit is {limit}.") for code in StalenessCode},
}

register([*AlertCode, *AutoRollbackCode, *DependencyCode, *EvidenceCode, *DriftCode, *SkewCode, *StalenessCode])
register([*RetrainingCode, *RetrainingResult, *FeatureCode, *ListsCode, *AblationCode])
WHY_NOT_ROLLED_BACK = (NothingToRollBackTo, NotPromotable, ArtifactNotAvailable)
register(titles={error.code: error.text for error in WHY_NOT_ROLLED_BACK}, sentences=SENTENCES)
