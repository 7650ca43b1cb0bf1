"""The policy of model operations, as sections of `config.yaml`. Every key has a default, bounds and a description."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

import recommender.policy
from catalog.policy import Count, NotNegative, Positive, Section, Share, key
from mlops.crontabs import When

Fraction = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1)]


class TrainingPolicy(recommender.policy.TrainingPolicy):
    algorithm: str = key("hybrid", "a name in recommender.estimators.ESTIMATORS")
    parameters: dict[str, dict[str, Any]] = key({}, "hyper-parameters by algorithm; the others are chosen")
    random_state: int = key(0, "seed of every random draw")
    min_ratings: Count = key(500, "ratings below which a training stops")
    memory_mb: int = key(2000, "memory of an item-item matrix; the most rated movies fill it", ge=50)
    threads: Count | None = key(None, "threads of matrix products; null: one per core")
    heartbeat_seconds: int = key(5, "interval of a training's log and look for a cancellation", gt=0)
    stale_after_seconds: int = key(25, "time without a heartbeat after which a worker is lost", gt=0)
    retries: int = key(1, "automatic retries of a failed training", ge=0, le=10)
    retry_after_seconds: int = key(300, "pause before a retry", ge=0)


def _ascending_shares(cuts: list[float]) -> list[float]:
    if any(not 0 < cut < 1 for cut in cuts) or sorted(cuts) != cuts:
        raise ValueError("cuts must be ascending shares of the log between 0 and 1")
    return cuts


Cuts = Annotated[list[float], Field(min_length=1), AfterValidator(_ascending_shares)]


class EvaluationPolicy(Section):
    k: int = key(10, "length of the evaluated lists", ge=1, le=100)
    cuts: Cuts = key([0.7, 0.8, 0.9], "shares of the log: trained before them, evaluated after")
    half_lives_days: list[float] = key([1, 7, 30, 365], "half-lives tried for the popularity baseline")
    bootstrap_resamples: int = key(2000, "resamples of a confidence interval", ge=1000)


class SearchRange(Section):
    """The values of one hyper-parameter in a search: a range from `low` to `high`, or `choices`."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    choices: list[float | str] | None = Field(None, min_length=2)

    def model_post_init(self, context: Any) -> None:
        if (self.choices is None) == (self.low is None and self.high is None):
            raise ValueError("give either low and high, or choices")
        if self.choices is not None:
            return
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("low must be above 0 in a logarithmic range")


SPACES = yaml.safe_load(Path(__file__).with_name("search_spaces.yaml").read_text(encoding="utf-8"))
Spaces = Annotated[
    dict[str, dict[str, SearchRange]],
    BeforeValidator(lambda given: SPACES | given if isinstance(given, dict) else given),
]


class TuningPolicy(Section):
    trials: Count = key(30, "trials of a search")
    random_trials: Count = key(10, "random trials before the search learns from earlier ones")
    cuts: Cuts = key([0.7, 0.85], "shares of the log before the first of evaluation.cuts")
    keep_share: float = key(0.5, "share of trials that continue after each cut but the last", gt=0, le=1)
    spaces: Spaces = key({}, "ranges by algorithm and hyper-parameter", validate_default=True)


class GatePolicy(Section):
    refresh_margin: Share = key(0.02, "same recipe, newer data: how far below 0 the interval may reach")
    change_margin: Share = key(0.0, "anything else: the interval must be above this")
    best_champion_days: Count = key(90, "a refresh must also match the best champion of these days")
    best_champions_tried: int = key(3, "recipes of those champions that are tried; 0: none", ge=0, le=10)
    max_linear_loss: Share = key(0.0, "how much a plain linear model (ease) may be better")
    min_users: Count = key(300, "evaluated users below which a change lacks evidence")
    min_precision: Share | None = key(None, "share of a list that was liked next; null: only reported")
    max_precision_loss: Share = key(0.002, "loss of that share against the champion")
    max_rmse: Positive | None = key(None, "RMSE of predicted stars; null: only reported")
    max_rmse_ratio: Positive = key(1.05, "RMSE, relative to the champion or the best simple baseline")
    min_stars: Count = key(200, "later ratings below which predicted stars are not judged")
    min_coverage_ratio: NotNegative = key(0.9, "distinct movies shown, relative to the champion")
    max_gini_ratio: NotNegative = key(1.05, "concentration on few movies, relative to the champion")
    max_popularity_ratio: Positive = key(1.05, "mean popularity of shown movies, relative to it")
    min_exposure_ratio: Share = key(0.5, "a language's, genre's or decade's share of lists, relative")
    min_group_share: float = key(0.05, "smallest share of the catalog of such a group", gt=0, le=1)
    min_slice_users: Count = key(200, "users below which a slice is not judged")
    max_slice_loss: Share = key(0.01, "loss of nDCG within a slice")
    min_liked_share: Share = key(0.25, "liked movies found in the top tenth by the saved files")
    min_liked: Count = key(50, "liked movies below which that is not judged")
    max_artifact_mb: Positive = key(2048, "size of the saved model")
    max_feature_seconds: Positive = key(120, "time to compute one kind of features")
    max_feature_mb: Positive = key(1024, "memory of one kind of features")
    max_memory_mb: Positive = key(4096, "memory of a process that loads and serves the model")
    max_latency_ms: Positive = key(250, "median time of a list in that process")
    max_smoke_test_seconds: Positive = key(300, "time after which the smoke test is ended")
    max_data_age_hours: Positive = key(48, "age of the snapshot")
    replay_requests: int = key(200, "recent requests replayed on both models", ge=0, le=5000)
    min_replay_requests: Count = key(20, "replayed requests below which nothing is compared")
    max_replay_latency_ratio: Ratio = key(1.25, "95th percentile, relative to the champion")
    replay_latency_floor_ms: NotNegative = key(20, "latency that is always accepted")
    min_replay_overlap: Share | None = key(None, "share of ten movies that both show; null: reported")
    max_replay_psi: Positive | None = key(None, "shift of the scores (PSI); null: only reported")


class PromotionPolicy(Section):
    automatic: bool = key(True, "false: a model that passed waits for a person in the admin; the first one never")


class AutoRollbackPolicy(Section):
    """The limits beyond which a new champion is rolled back."""

    enabled: bool = key(True, "false: problems are only logged")
    days: Count = key(14, "days after a promotion")
    window_minutes: Count = key(30, "length of the compared windows, now and before the promotion")
    min_requests: Count = key(100, "requests below which a window is not judged")
    max_error_share: float = key(0.02, "share of lists that fail", ge=0, lt=1)
    max_latency_ratio: Ratio = key(2.0, "95th percentile, relative to the predecessor")
    latency_floor_ms: NotNegative = key(50, "latency that is always accepted")
    max_latency_ms: Positive = key(1000, "latency that is never accepted")
    min_quality_ratings: Count = key(300, "new positive ratings of either champion needed to compare")
    max_quality_loss: Share = key(0.02, "loss of online nDCG@10 against the predecessor")


class RetentionPolicy(Section):
    champions: int = key(3, "former champions kept for a rollback", ge=3)
    versions: Count = key(3, "other versions kept")
    snapshots: Count = key(5, "snapshots kept")
    fetched_mb: Count = key(2000, "models fetched from `MODEL_STORE` kept on a host, the longest unused go first")
    runs_days: Count = key(180, "how long training runs are kept")
    monitoring_days: Count = key(180, "how long retraining checks and closed alerts are kept")


NO_FOLDER = r"s3:|[A-Za-z][\w+.-]*://"  # URL prefixes; any other address is a folder
S3_ADDRESS = r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]+[a-z0-9])(/(?P<prefix>[^?#]*))?"
FOLDER_OR_BUCKET = rf"{S3_ADDRESS}|(?!{NO_FOLDER}).*"


def _folder_or_bucket(address: str) -> str:
    if not re.fullmatch(FOLDER_OR_BUCKET, address):
        raise ValueError("expected a folder or s3://bucket/prefix; credentials belong in the environment")
    return address


class BackupPolicy(Section):
    folder: Annotated[str, AfterValidator(_folder_or_bucket)] | None = key(
        None, "where daily backups are written to: a folder on another disk, or s3://bucket/prefix; null: none"
    )
    keep: Count = key(7, "backups kept there")


class DriftPolicy(Section):
    """Limits for comparing recent weeks with earlier ones. benchmarks/drift.py shows which changes they detect."""

    window_weeks: Count = key(4, "weeks of a window")
    min_ratings: Count = key(500, "ratings below which a window is insufficient_data")
    min_lists: Count = key(500, "the same for shown lists and compared scores")
    reference_ratings: Count = key(2000, "ratings the reference window reaches back for")
    max_ratings: int = key(100_000, "ratings read per window; a sample above that", ge=1000)
    max_lists: int = key(2000, "shown lists read per window", ge=500)
    ratings_per_person: Count = key(20, "ratings of one person that count in a window")
    psi_warn: Positive = key(0.1, "PSI beyond chance")
    psi_alert: Positive = key(0.25, "PSI beyond chance")
    ks_warn: Fraction = key(0.1, "Kolmogorov-Smirnov distance")
    ks_alert: Fraction = key(0.2, "Kolmogorov-Smirnov distance")
    activity_warn_ratio: Fraction = key(0.5, "ratings a week relative to the median, or its inverse")
    activity_alert_ratio: Fraction = key(0.25, "the same")
    shown_warn_ratio: Fraction = key(0.75, "coverage and diversity of shown lists, relative to before")
    shown_alert_ratio: Fraction = key(0.5, "the same")
    live_warn_fall: Fraction = key(0.15, "relative loss of the online hit rate")
    live_alert_fall: Fraction = key(0.3, "the same")
    significance: Fraction = key(0.01, "p-value above which nothing alerts")


class OnlineMetricsPolicy(Section):
    max_ratings: Count = key(2000, "ratings scored per run; the next run continues from there")
    lag_seconds: int = key(60, "time allowed for a rating to be committed", ge=0)
    shown_within_hours: NotNegative = key(24, "longest time from a shown list to the rating it led to")


class RetrainingPolicy(Section):
    """Criteria for retraining. A training starts if any of them is met."""

    new_movies: Count = key(200, "movies added since the champion's data")
    new_ratings: Count = key(5000, "ratings added since the champion's data")
    live_fall: Fraction = key(0.2, "relative loss of the champion's hit rate over window_days")
    min_live_ratings: Count = key(500, "scored ratings needed for that")
    drift_reports: Count = key(2, "consecutive drift reports with an alert")
    drift_apart_hours: NotNegative = key(1, "shortest time between them")
    champion_age_days: Positive = key(14, "age of the champion")
    not_interested_share: Fraction = key(0.3, "share of 'not interested' in a person's feedback on shown lists")
    min_feedback: Count = key(100, "shown lists with feedback needed for that")
    min_feedback_people: Count = key(10, "people with such feedback needed for that, beside the most active one")
    window_days: Count = key(14, "days that the criteria look back")
    pause_hours: NotNegative = key(12, "pause after such a training")


class StalenessPolicy(Section):
    """Maximum ages, above which an alert opens."""

    beat_seconds: int = key(300, "age of the scheduler's heartbeat", gt=60)
    champion_data_days: Positive = key(30, "age of the champion's data, or less if a backtest says so")
    latest_rating_days: Positive = key(30, "age of the latest rating")
    backtest_ages_days: list[NotNegative] = key([0, 7, 30, 90], "ages that are backtested", min_length=2)
    max_backtest_loss: float = key(0.05, "share of nDCG that age may cost", ge=0, lt=1)


MetadataField = Literal[
    "title", "release_date", "genres", "keywords", "cast", "directors", "countries", "overview", "language"
]


class DataChecksPolicy(Section):
    max_bad_share: Share = key(0.001, "bad rows above which a training stops; fewer are quarantined")
    min_row_ratio: Share = key(0.5, "ratings and movies, relative to the last valid snapshot")
    max_null_share: dict[MetadataField, float] = key({"title": 0.2, "release_date": 0.5}, "missing values by field")
    genres: list[str] | None = key(None, "the only allowed genres; null: those of the catalog")


RENAMED_SCHEDULES: dict[str, str] = {
    "watch-champion": "auto-rollback",
    "score-live-quality": "score-online-metrics",
    "check-serving": "check-skew",
    "check-freshness": "check-staleness",
    "sweep-runs": "requeue-stale-jobs",
    "sweep-histories": "remove-old-imports",
}


class SchedulesPolicy(Section):
    """When scheduled tasks run: five crontab fields (UTC), a number of seconds, or off."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    train_model: When = key("0 3 * * *", "queues a training")
    sync_tmdb: When = key("30 2 * * *", "fetches new and changed movies")
    sync_wikidata: When = key("30 1 * * *", "reads facts from Wikidata")
    refresh_popularity: When = key("5 * * * *", "updates the popularity of movies")
    check_drift: When = key("0 4 * * *", "writes a drift report")
    score_online_metrics: When = key("*/10 * * * *", "computes online metrics")
    check_retraining: When = key("15 * * * *", "checks the retraining criteria")
    check_skew: When = key("50 4 * * *", "looks for training/serving skew")
    check_staleness: When = key(60, "alerts on stale data")
    check_dependencies: When = key("20 4 * * *", "checks what the site depends on")
    backtest_features: When = key("0 6 * * 0", "ablates each kind of features")
    backtest_staleness: When = key("0 7 1,15 * *", "measures what the age of data costs")
    collect_evidence: When = key("40 * * * *", "collects evidence for the ML Test Score")
    beat_heartbeat: When = key(60, "shows that the scheduler runs")
    requeue_stale_jobs: When = key(15, "requeues jobs whose worker is lost")
    follow_sources: When = key(60, "starts syncs of followed sources that are due")
    remove_old_imports: When = key("20 3 * * *", "deletes old imports and unconfirmed sign-ups")
    auto_rollback: When = key(60, "checks whether to roll back a new champion")
    sync_registry: When = key("*/10 * * * *", "writes what is missing to MLflow")
    push_data: When = key(
        "5-59/15 * * * *", "pushes data to the DVC remote and the champion to `MODEL_STORE`, where they are set"
    )
    backup: When = key("45 5 * * *", "writes a backup, if backup.folder is set")
    prune: When = key("30 4 * * *", "deletes what retention no longer keeps, and expired sessions")


class MLOpsPolicy(Section):
    training: TrainingPolicy = TrainingPolicy()
    evaluation: EvaluationPolicy = EvaluationPolicy()
    tuning: TuningPolicy = TuningPolicy()
    gate: GatePolicy = GatePolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    auto_rollback: AutoRollbackPolicy = AutoRollbackPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    backup: BackupPolicy = BackupPolicy()
    drift: DriftPolicy = DriftPolicy()
    online_metrics: OnlineMetricsPolicy = OnlineMetricsPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    staleness: StalenessPolicy = StalenessPolicy()
    data_checks: DataChecksPolicy = DataChecksPolicy()
    schedules: SchedulesPolicy = SchedulesPolicy()
