"""The recommender's sections of the policy."""

from catalog.policy import Count, Section, Share, key


class ServingPolicy(Section):
    # The maximum values add up to 60 seconds, so that lists contain a new movie within a minute.
    refresh_seconds: float = key(5, "how often a web process looks for a promoted model", gt=0, le=15)
    new_movies_refresh_seconds: float = key(30, "how often it looks for new movies", gt=0, le=45)
    new_share: Share = key(0.2, "share of new movies in a blended list")
    diversity: Share = key(0.67, "0 ranks by score alone, 1 prefers movies unlike those above them")
    impressions_days: Count = key(90, "how long shown lists are kept")
    stats_days: Count = key(30, "how long serving statistics by minute are kept")


class TrainingPolicy(Section):
    """The training keys that serving reads too. `mlops.policy` adds keys that only training reads."""

    implicit_threshold: float | None = key(3.5, "lowest rating that counts as liked; null: any", ge=0.5, le=5.0)
    max_runtime_seconds: int = key(6000, "time after which a training is ended", gt=0, lt=7200)


class RecommenderPolicy(Section):
    serving: ServingPolicy = ServingPolicy()
    training: TrainingPolicy = TrainingPolicy()
