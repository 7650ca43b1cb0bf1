"""The policy of model operations: its sections of `config.yaml`; every key has a default, bounds and a meaning."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from catalog.policy import Count, NotNegative, Positive, Section, Share
from mlops.crontabs import When

Fraction = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1)]


class TrainingPolicy(Section):
    algorithm: str = Field("hybrid", description="a name in recommender.estimators.ESTIMATORS")
    implicit_threshold: float | None = Field(
        3.5, ge=0.5, le=5.0, description="lowest rating that counts as liked; null: every rating does"
    )
    parameters: dict[str, dict[str, Any]] = Field(
        {}, description="hyper-parameters by algorithm; training chooses the others"
    )
    random_state: int = Field(0, description="seed of every random draw")
    min_ratings: Count = Field(500, description="ratings below which a training stops")
    memory_mb: int = Field(2000, ge=50, description="memory of an item-item matrix; the most rated movies fill it")
    threads: Count | None = Field(None, description="threads of matrix products; null: one per core")
    max_runtime_seconds: int = Field(6000, gt=0, lt=7200, description="time after which a training is ended")
    heartbeat_seconds: int = Field(5, gt=0, description="interval of a training's log and look for a cancellation")
    stale_after_seconds: int = Field(40, gt=0, description="time without a heartbeat after which a worker is lost")
    retries: int = Field(1, ge=0, le=10, description="automatic retries of a failed training")
    retry_after_seconds: int = Field(300, ge=0, description="pause before a retry")


def _ascending_shares(cuts: list[float]) -> list[float]:
    if any(not 0 < cut < 1 for cut in cuts) or sorted(cuts) != cuts:
        raise ValueError("cuts must be ascending shares of the log between 0 and 1")
    return cuts


Cuts = Annotated[list[float], Field(min_length=1), AfterValidator(_ascending_shares)]


class EvaluationPolicy(Section):
    k: int = Field(10, ge=1, le=100, description="length of the evaluated lists")
    cuts: Cuts = Field(
        [0.7, 0.8, 0.9], description="shares of the log, by time: trained on what is before, evaluated on what follows"
    )
    half_lives_days: list[float] = Field([1, 7, 30, 365], description="half-lives tried for the popularity baseline")
    bootstrap_resamples: int = Field(2000, ge=1000, description="resamples of a confidence interval")


class SearchRange(Section):
    """The values a search tries for one hyper-parameter: from `low` to `high`, or `choices`."""

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


SPACES: dict[str, dict[str, dict[str, Any]]] = {
    "hybrid": {
        "regularization": {"low": 20, "high": 2000, "log": True},
        "metadata_weight": {"low": 1, "high": 60, "log": True},
        "user_exponent": {"low": 0, "high": 0.6},
        "residual_weight": {"low": 0, "high": 0.6},
    },
    "popularity": {"half_life_days": {"choices": [1, 2, 7, 30, 90, 365, "inf"]}},
    "ease": {"regularization": {"low": 10, "high": 5000, "log": True}},
    "als": {
        "n_components": {"low": 16, "high": 128, "whole": True},
        "regularization": {"low": 0.1, "high": 500, "log": True},
        "alpha": {"low": 1, "high": 64, "log": True},
    },
    "item_knn": {
        "n_neighbors": {"low": 20, "high": 500, "whole": True},
        "shrinkage": {"low": 0.5, "high": 300, "log": True},
    },
}
Spaces = Annotated[
    dict[str, dict[str, SearchRange]],
    BeforeValidator(lambda given: SPACES | given if isinstance(given, dict) else given),
]


class TuningPolicy(Section):
    trials: Count = Field(30, description="trials of a search")
    random_trials: Count = Field(10, description="random trials before the search learns from earlier ones")
    cuts: Cuts = Field([0.7, 0.85], description="shares of the log before the first of evaluation.cuts")
    keep_share: float = Field(0.5, gt=0, le=1, description="share of trials that continue after each cut but the last")
    spaces: Spaces = Field(
        {}, validate_default=True, description="ranges by algorithm and hyper-parameter; see mlops/policy.py"
    )


class GatePolicy(Section):
    refresh_margin: Share = Field(
        0.02, description="same recipe, newer data: how far the interval's lower end may be below 0"
    )
    change_margin: Share = Field(0.0, description="anything else: the interval's lower end must be above this")
    best_champion_days: Count = Field(90, description="a refresh must also match the best champion of these days")
    best_champions_tried: int = Field(3, ge=0, le=10, description="recipes of those champions that are tried; 0: none")
    max_linear_loss: Share = Field(0.0, description="how much a plain linear model (ease) may be better")
    min_users: Count = Field(300, description="evaluated users below which a change lacks evidence")
    min_coverage_ratio: NotNegative = Field(0.9, description="distinct movies shown, relative to the champion")
    max_gini_ratio: NotNegative = Field(1.05, description="concentration on few movies, relative to the champion")
    max_popularity_ratio: Positive = Field(1.05, description="mean popularity of shown movies, relative to it")
    min_exposure_ratio: Share = Field(0.5, description="a language's, genre's or decade's share of lists, relative")
    min_group_share: float = Field(0.05, gt=0, le=1, description="smallest share of the catalog of such a group")
    min_slice_users: Count = Field(200, description="users below which a slice is not judged")
    max_slice_loss: Share = Field(0.01, description="loss of nDCG within a slice")
    min_liked_share: Share = Field(0.25, description="liked movies found in the top tenth by the saved files")
    min_liked: Count = Field(50, description="liked movies below which that is not judged")
    max_artifact_mb: Positive = Field(2048, description="size of the saved model")
    max_feature_seconds: Positive = Field(120, description="time to compute one kind of features")
    max_feature_mb: Positive = Field(1024, description="memory of one kind of features")
    max_memory_mb: Positive = Field(4096, description="memory of a process that loads and serves the model")
    max_latency_ms: Positive = Field(250, description="median time of a list in that process")
    max_smoke_test_seconds: Positive = Field(300, description="time after which the smoke test is ended")
    max_data_age_hours: Positive = Field(48, description="age of the snapshot")
    replay_requests: int = Field(200, ge=0, le=5000, description="recent requests replayed on both models")
    min_replay_requests: Count = Field(20, description="replayed requests below which nothing is compared")
    max_replay_latency_ratio: Ratio = Field(1.25, description="95th percentile, relative to the champion")
    replay_latency_floor_ms: NotNegative = Field(20, description="latency that is always accepted")
    min_replay_overlap: Share | None = Field(None, description="share of ten movies that both show; null: reported")
    max_replay_psi: Positive | None = Field(None, description="shift of the scores (PSI); null: only reported")


class PromotionPolicy(Section):
    automatic: bool = Field(True, description="false: a model that passed the gate waits for a person in the admin")


class AutoRollbackPolicy(Section):
    """When a new champion is rolled back."""

    enabled: bool = Field(True, description="false: problems are only logged")
    days: Count = Field(14, description="days after a promotion")
    window_minutes: Count = Field(30, description="length of the compared windows, now and before the promotion")
    min_requests: Count = Field(100, description="requests below which a window is not judged")
    max_error_share: float = Field(0.02, ge=0, lt=1, description="share of lists that fail")
    max_latency_ratio: Ratio = Field(2.0, description="95th percentile, relative to the predecessor")
    latency_floor_ms: NotNegative = Field(50, description="latency that is always accepted")
    max_latency_ms: Positive = Field(1000, description="latency that is never accepted")
    min_quality_ratings: Count = Field(300, description="new positive ratings of either champion needed to compare")
    max_quality_loss: Share = Field(0.02, description="loss of online nDCG@10 against the predecessor")


class RetentionPolicy(Section):
    champions: int = Field(3, ge=3, description="former champions kept for a rollback")
    versions: Count = Field(3, description="other versions kept")
    snapshots: Count = Field(5, description="snapshots kept")
    runs_days: Count = Field(180, description="how long training runs are kept")
    monitoring_days: Count = Field(180, description="how long retraining checks and closed alerts are kept")


class DriftPolicy(Section):
    """Recent weeks against earlier ones; benchmarks/drift.py shows what these bounds detect."""

    window_weeks: Count = Field(4, description="weeks of a window")
    min_ratings: Count = Field(500, description="ratings below which a window is insufficient_data")
    min_lists: Count = Field(500, description="the same for shown lists and compared scores")
    reference_ratings: Count = Field(2000, description="ratings the reference window reaches back for")
    max_ratings: int = Field(100_000, ge=1000, description="ratings read per window; a sample above that")
    max_lists: int = Field(2000, ge=500, description="shown lists read per window")
    ratings_per_person: Count = Field(20, description="ratings of one person that count in a window")
    psi_warn: Positive = Field(0.1, description="PSI beyond chance")
    psi_alert: Positive = Field(0.25, description="PSI beyond chance")
    ks_warn: Fraction = Field(0.1, description="Kolmogorov-Smirnov distance")
    ks_alert: Fraction = Field(0.2, description="Kolmogorov-Smirnov distance")
    activity_warn_ratio: Fraction = Field(0.5, description="ratings a week relative to the median, or its inverse")
    activity_alert_ratio: Fraction = Field(0.25, description="the same")
    shown_warn_ratio: Fraction = Field(0.75, description="coverage and diversity of shown lists, relative to before")
    shown_alert_ratio: Fraction = Field(0.5, description="the same")
    live_warn_fall: Fraction = Field(0.15, description="relative loss of the online hit rate")
    live_alert_fall: Fraction = Field(0.3, description="the same")
    significance: Fraction = Field(0.01, description="p-value above which nothing alerts")


class OnlineMetricsPolicy(Section):
    max_ratings: Count = Field(2000, description="ratings scored per run; the next run continues from there")
    lag_seconds: int = Field(60, ge=0, description="time allowed for a rating to be committed")
    shown_within_hours: NotNegative = Field(24, description="longest time from a shown list to the rating it led to")


class RetrainingPolicy(Section):
    """Criteria: any of them starts a training."""

    new_movies: Count = Field(200, description="movies added since the champion's data")
    new_ratings: Count = Field(5000, description="ratings added since the champion's data")
    live_fall: Fraction = Field(0.2, description="relative loss of the champion's hit rate over window_days")
    min_live_ratings: Count = Field(500, description="scored ratings needed for that")
    drift_reports: Count = Field(2, description="consecutive drift reports with an alert")
    drift_apart_hours: NotNegative = Field(1, description="shortest time between them")
    champion_age_days: Positive = Field(14, description="age of the champion")
    not_interested_share: Fraction = Field(0.3, description="share of 'not interested' among feedback")
    min_feedback: Count = Field(100, description="feedback needed for that")
    window_days: Count = Field(14, description="days that the criteria look back")
    pause_hours: NotNegative = Field(12, description="pause after such a training")


class StalenessPolicy(Section):
    """What raises an alert when it is older."""

    beat_seconds: int = Field(300, gt=60, description="age of the scheduler's heartbeat")
    champion_data_days: Positive = Field(30, description="age of the champion's data, or less if a backtest says so")
    latest_rating_days: Positive = Field(30, description="age of the latest rating")
    backtest_ages_days: list[NotNegative] = Field([0, 7, 30, 90], min_length=2, description="ages that are backtested")
    max_backtest_loss: float = Field(0.05, ge=0, lt=1, description="share of nDCG that age may cost")


MetadataField = Literal["title", "release_date", "genres", "keywords", "cast", "directors", "overview", "language"]


class DataChecksPolicy(Section):
    max_bad_share: Share = Field(0.001, description="bad rows above which a training stops; fewer are quarantined")
    min_row_ratio: Share = Field(0.5, description="ratings and movies, relative to the last valid snapshot")
    max_null_share: dict[MetadataField, float] = Field(
        {"title": 0.2, "release_date": 0.5}, description="missing values, by field of movies with metadata"
    )
    genres: list[str] | None = Field(None, description="the only allowed genres; null: those of the catalog")


RENAMED_SCHEDULES: dict[str, str] = {
    "watch-champion": "auto-rollback",
    "score-live-quality": "score-online-metrics",
    "check-serving": "check-skew",
    "check-freshness": "check-staleness",
    "sweep-runs": "requeue-stale-jobs",
    "sweep-histories": "remove-old-imports",
}


class SchedulesPolicy(Section):
    """Five crontab fields (UTC), a number of seconds, or off."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    train_model: When = Field("0 3 * * *", description="queues a training")
    sync_tmdb: When = Field("30 2 * * *", description="fetches new and changed movies")
    refresh_popularity: When = Field("5 * * * *", description="updates the popularity of movies")
    check_drift: When = Field("0 4 * * *", description="writes a drift report")
    score_online_metrics: When = Field("*/10 * * * *", description="computes online metrics")
    check_retraining: When = Field("15 * * * *", description="checks the retraining criteria")
    check_skew: When = Field("50 4 * * *", description="looks for training/serving skew")
    check_staleness: When = Field(60, description="alerts on stale data")
    check_dependencies: When = Field("20 4 * * *", description="checks what the site depends on")
    backtest_features: When = Field("0 6 * * 0", description="ablates each kind of features")
    backtest_staleness: When = Field("0 7 1,15 * *", description="measures what the age of data costs")
    collect_evidence: When = Field("40 * * * *", description="collects evidence for the ML Test Score")
    beat_heartbeat: When = Field(60, description="shows that the scheduler runs")
    requeue_stale_jobs: When = Field(15, description="requeues jobs whose worker is lost")
    remove_old_imports: When = Field("20 3 * * *", description="deletes old imports")
    auto_rollback: When = Field(60, description="checks whether to roll back a new champion")
    sync_registry: When = Field("*/10 * * * *", description="writes what is missing to MLflow")
    push_data: When = Field("5-59/15 * * * *", description="pushes data to the DVC remote, if one is set")
    prune: When = Field("30 4 * * *", description="deletes what retention no longer keeps")


class MLOpsPolicy(Section):
    training: TrainingPolicy = TrainingPolicy()
    evaluation: EvaluationPolicy = EvaluationPolicy()
    tuning: TuningPolicy = TuningPolicy()
    gate: GatePolicy = GatePolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    auto_rollback: AutoRollbackPolicy = AutoRollbackPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    drift: DriftPolicy = DriftPolicy()
    online_metrics: OnlineMetricsPolicy = OnlineMetricsPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    staleness: StalenessPolicy = StalenessPolicy()
    data_checks: DataChecksPolicy = DataChecksPolicy()
    schedules: SchedulesPolicy = SchedulesPolicy()
