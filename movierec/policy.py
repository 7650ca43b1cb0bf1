"""The policy of the site: `config.yaml`, validated. Thresholds are data, not code.

`settings.POLICY` is the one instance; an unknown key or a bad value refuses to start and names the key.
"""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class PolicyError(ValueError):
    """config.yaml does not hold what it should; the message names file, key and what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Training(_Section):
    algorithm: str
    implicit_threshold: float | None = Field(ge=0.5, le=5.0)
    parameters: dict[str, dict[str, Any]]
    random_state: int
    min_ratings: int = Field(ge=1)
    memory_mb: int = Field(ge=50)
    threads: int | None = Field(ge=1)
    max_runtime_seconds: int = Field(gt=0, lt=7200)
    heartbeat_seconds: int = Field(gt=0)
    stale_after_seconds: int = Field(gt=0)
    retries: int = Field(ge=0, le=10)
    retry_after_seconds: int = Field(ge=0)


def _ascending_shares(cuts: list[float]) -> list[float]:
    if any(not 0 < cut < 1 for cut in cuts) or sorted(cuts) != cuts:
        raise ValueError("cuts are ascending shares of the log between 0 and 1")
    return cuts


class Evaluation(_Section):
    k: int = Field(ge=1, le=100)
    cuts: list[float] = Field(min_length=1)
    half_lives_days: list[float]
    bootstrap_resamples: int = Field(ge=1000)

    _are_shares = field_validator("cuts")(_ascending_shares)


class SearchRange(_Section):
    """What a search may try for one hyper-parameter: from `low` to `high`, or `choices`."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    choices: list[float | str] | None = Field(default=None, min_length=2)

    def model_post_init(self, context: Any) -> None:
        if (self.choices is None) == (self.low is None and self.high is None):
            raise ValueError("give either low and high, or choices")
        if self.choices is not None:
            return
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("low has to be below high")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range begins above 0")


class Tuning(_Section):
    trials: int = Field(ge=1)
    random_trials: int = Field(ge=1)
    cuts: list[float] = Field(min_length=1)
    keep_share: float = Field(gt=0, le=1)
    spaces: dict[str, dict[str, SearchRange]]

    _are_shares = field_validator("cuts")(_ascending_shares)


class Gate(_Section):
    refresh_margin: float = Field(ge=0, le=1)
    change_margin: float = Field(ge=0, le=1)
    best_champion_days: int = Field(ge=1)
    best_champions_tried: int = Field(ge=0, le=10)
    max_linear_loss: float = Field(ge=0, le=1)
    min_users: int = Field(ge=1)
    min_coverage_ratio: float = Field(ge=0)
    max_gini_ratio: float = Field(ge=0)
    max_popularity_ratio: float = Field(gt=0)
    min_exposure_ratio: float = Field(ge=0, le=1)
    min_group_share: float = Field(gt=0, le=1)
    min_slice_users: int = Field(ge=1)
    max_slice_loss: float = Field(ge=0, le=1)
    min_liked_share: float = Field(ge=0, le=1)
    min_liked: int = Field(ge=1)
    max_artifact_mb: float = Field(gt=0)
    max_feature_seconds: float = Field(gt=0)
    max_feature_mb: float = Field(gt=0)
    max_memory_mb: float = Field(gt=0)
    max_latency_ms: float = Field(gt=0)
    max_verify_seconds: float = Field(gt=0)
    max_data_age_hours: float = Field(gt=0)
    shadow_requests: int = Field(ge=0, le=5000)
    min_shadow_requests: int = Field(ge=1)
    max_shadow_latency_ratio: float = Field(ge=1)
    shadow_latency_floor_ms: float = Field(ge=0)
    min_shadow_overlap: float | None = Field(ge=0, le=1)
    max_shadow_psi: float | None = Field(gt=0)


class Promotion(_Section):
    automatic: bool


class Watch(_Section):
    """After a promotion: when the new champion is taken back."""

    automatic_rollback: bool
    days: int = Field(ge=1)
    window_minutes: int = Field(ge=1)
    min_requests: int = Field(ge=1)
    max_error_share: float = Field(ge=0, lt=1)
    max_latency_ratio: float = Field(ge=1)
    latency_floor_ms: float = Field(ge=0)
    max_latency_ms: float = Field(gt=0)
    min_quality_ratings: int = Field(ge=1)
    max_quality_loss: float = Field(ge=0, le=1)


class Retention(_Section):
    champions: int = Field(ge=3)
    versions: int = Field(ge=1)
    snapshots: int = Field(ge=1)
    runs_days: int = Field(ge=1)
    watch_days: int = Field(ge=1)
    impressions_days: int = Field(ge=1)
    served_minutes_days: int = Field(ge=1)


class Serving(_Section):
    refresh_seconds: float = Field(gt=0, le=15)
    new_movies_refresh_seconds: float = Field(gt=0, le=45)  # and refresh_seconds: a new movie is in lists within 60 s
    new_share: float = Field(ge=0, le=1)
    diversity: float = Field(ge=0, le=1)
    popular_half_life_days: float = Field(gt=0)


class TMDB(_Section):
    requests_per_second: int = Field(ge=1, le=1000)
    connections: int = Field(ge=1, le=50)
    lease_seconds: float = Field(gt=0, le=600)
    adult: bool
    unreleased: bool
    min_votes: int = Field(ge=0)
    max_cast: int = Field(ge=0, le=500)
    refresh_days: int = Field(ge=1)
    max_age_days: int = Field(ge=1)

    def model_post_init(self, context: Any) -> None:
        if self.refresh_days >= self.max_age_days:
            raise ValueError("refresh_days must be below max_age_days, or content would go before it is read anew")


class Histories(_Section):
    """What people may upload of their own."""

    max_upload_mb: int = Field(ge=1, le=500)
    max_unpacked_mb: int = Field(ge=1, le=2000)
    max_files: int = Field(ge=1)
    max_entries: int = Field(ge=1)
    stale_after_seconds: int = Field(ge=10)
    attempts: int = Field(ge=1)
    keep_days: int = Field(ge=1)


class Bulk(_Section):
    """What an operator may bring in one request."""

    max_lines: int = Field(ge=1, le=100_000)
    max_upload_mb: int = Field(ge=1, le=100)


class Drift(_Section):
    window_weeks: int = Field(ge=1)
    min_ratings: int = Field(ge=1)
    min_lists: int = Field(ge=1)
    reference_ratings: int = Field(ge=1)
    max_ratings: int = Field(ge=1000)
    max_lists: int = Field(ge=500)
    ratings_per_person: int = Field(ge=1)
    psi_warn: float = Field(gt=0)
    psi_alert: float = Field(gt=0)
    ks_warn: float = Field(gt=0, lt=1)
    ks_alert: float = Field(gt=0, lt=1)
    activity_warn_ratio: float = Field(gt=0, lt=1)
    activity_alert_ratio: float = Field(gt=0, lt=1)
    shown_warn_ratio: float = Field(gt=0, lt=1)
    shown_alert_ratio: float = Field(gt=0, lt=1)
    live_warn_fall: float = Field(gt=0, lt=1)
    live_alert_fall: float = Field(gt=0, lt=1)
    significance: float = Field(gt=0, lt=1)


class LiveQuality(_Section):
    max_ratings: int = Field(ge=1)
    lag_seconds: int = Field(ge=0)
    shown_within_hours: float = Field(ge=0)


class Retraining(_Section):
    new_movies: int = Field(ge=1)
    new_ratings: int = Field(ge=1)
    live_fall: float = Field(gt=0, lt=1)
    min_live_ratings: int = Field(ge=1)
    drift_reports: int = Field(ge=1)
    drift_apart_hours: float = Field(ge=0)
    champion_age_days: float = Field(gt=0)
    not_interested_share: float = Field(gt=0, lt=1)
    min_feedback: int = Field(ge=1)
    window_days: int = Field(ge=1)
    pause_hours: float = Field(ge=0)


class Freshness(_Section):
    beat_seconds: int = Field(gt=60)
    champion_data_days: float = Field(gt=0)
    latest_rating_days: float = Field(gt=0)


class Backtests(_Section):
    ages_days: list[float] = Field(min_length=2)
    max_loss: float = Field(ge=0, lt=1)

    @field_validator("ages_days")
    @classmethod
    def _are_ages(cls, ages: list[float]) -> list[float]:
        if any(age < 0 for age in ages):
            raise ValueError("ages are numbers of days of 0 or more")
        return ages


class DataChecks(_Section):
    max_bad_share: float = Field(ge=0, le=1)
    min_row_ratio: float = Field(ge=0, le=1)
    max_null_share: dict[
        Literal["title", "release_date", "genres", "keywords", "cast", "directors", "overview", "language"], float
    ]
    genres: list[str] | None


class Schedule(_Section):
    """One entry of django-celery-beat: five crontab fields, or a number of seconds."""

    crontab: str | None = None
    every_seconds: int | None = Field(default=None, gt=0)
    queue: Literal["default", "training"] = "default"

    @field_validator("crontab")
    @classmethod
    def _has_five_fields(cls, crontab: str | None) -> str | None:
        if crontab is not None and len(crontab.split()) != 5:
            raise ValueError("a crontab has five fields: minute hour day-of-month month day-of-week")
        return crontab

    def model_post_init(self, context: Any) -> None:
        if (self.crontab is None) == (self.every_seconds is None):
            raise ValueError("give either crontab or every_seconds")


class Limits(_Section):
    """Rate limits in REST framework's form, such as 60/min."""

    anonymous: str
    user: str
    sign_up: str
    token: str
    service: str
    histories: str
    bulk: str


class Policy(_Section):
    training: Training
    evaluation: Evaluation
    tuning: Tuning
    gate: Gate
    promotion: Promotion
    watch: Watch
    retention: Retention
    serving: Serving
    tmdb: TMDB
    histories: Histories
    bulk: Bulk
    drift: Drift
    live_quality: LiveQuality
    retraining: Retraining
    freshness: Freshness
    backtests: Backtests
    data_checks: DataChecks
    schedules: dict[str, Schedule]
    limits: Limits


# As safe, and where PyYAML came with it eight times as fast: every process reads the policy when it starts.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_policy(path: Path) -> Policy:
    """Reads and validates `path`; raises PolicyError with one line for each key that is wrong."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise PolicyError(f"{path}: not found; it holds the site's policy (see the repository's config.yaml)") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"{path}: not valid YAML: {error}") from None
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, e['loc'])) or '(top)'}: {e['msg']}" for e in error.errors()]
        raise PolicyError("\n".join(lines)) from None
