"""Codes and titles of the gate's rules, and the messages about their results."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.findings import register


class Rule(TextChoices):
    """Codes of the rules, with their titles as labels. `subject` is the slice, group or model that was compared."""

    BASELINE = "gate.baseline", _("better than the best simple baseline ({subject})")
    LINEAR_MODEL = "gate.linear_model", _("compared with a plain linear model (ease)")
    CHAMPION = "gate.champion", _("compared with the champion")
    CHAMPION_REFRESH = "gate.champion_refresh", _("refresh compared with the champion")
    CHAMPION_CHANGE = "gate.champion_change", _("change compared with the champion")
    RECENT_CHAMPION = "gate.recent_champion", _("compared with the best recent champion (version {subject})")
    PRECISION = "gate.precision", _("precision of lists")
    PRECISION_CHAMPION = "gate.precision_champion", _("precision of lists compared with the champion")
    RMSE = "gate.rmse", _("RMSE of predicted ratings")
    RMSE_REFERENCE = "gate.rmse_reference", _("RMSE of predicted ratings compared with the champion or best baseline")
    COVERAGE = "gate.coverage", _("coverage compared with the champion")
    POPULARITY_GINI = "gate.popularity_gini", _("popularity Gini compared with the champion")
    MEAN_POPULARITY = "gate.mean_popularity", _("mean popularity of recommended movies compared with the champion")
    EXPOSURE = "gate.exposure", _("exposure of {subject} ({share:.0%} of the catalogue)")
    NEW_MOVIES = "gate.new_movies", _("new movies")
    SLICE = "gate.slice", _("slice {subject} compared with the champion")
    FEATURE_SECONDS = "gate.feature_seconds", _("cost of the most expensive features ({subject}), seconds")
    FEATURE_MB = "gate.feature_mb", _("cost of the most expensive features ({subject}), MB")
    ARTIFACT_MB = "gate.artifact_mb", _("artifact size, MB")
    DATA_AGE_HOURS = "gate.data_age_hours", _("data age, hours")
    LIKED_SHARE = "gate.liked_share", _("liked movies ranked in the top tenth")
    LATENCY_MS = "gate.latency_ms", _("list latency, ms")
    MEMORY_MB = "gate.memory_mb", _("process memory, MB")
    ORIGIN = "gate.origin", _("origin of the ratings")
    REPLAY = "gate.replay", _("replay of past requests")
    REPLAY_ERRORS = "gate.replay_errors", _("replay: failed lists, {n_requests} {source}")
    REPLAY_EXCLUDED = "gate.replay_excluded", _("replay: seen or dismissed movies, {n_requests} {source}")
    REPLAY_LATENCY_MS = "gate.replay_latency_ms", _("replay: 95th percentile of latency, ms")
    REPLAY_OVERLAP = "gate.replay_overlap", _("replay: overlap@10 with the champion's lists")
    REPLAY_PSI = "gate.replay_psi", _("replay: PSI of the scores")


class ReplaySource(TextChoices):
    RECENT = "replay.recent_requests", _("recent requests")
    RATERS = "replay.latest_raters", _("lists for recently active users")


class Message(TextChoices):
    """Codes of the messages, with their sentences as labels."""

    ABOVE = (
        "gate.above",
        _(
            "nDCG difference {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}). The lower "
            "bound must be above {threshold:g}."
        ),
    )
    NO_INTERVAL = "gate.no_interval", _("{title}: too few users ({n_users}) for a confidence interval.")
    NOT_WORSE = (
        "gate.not_worse",
        _(
            "nDCG difference {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}). Models "
            "clearly worse than {threshold:g} are rejected."
        ),
    )
    PRECISION_NOT_WORSE = (
        "gate.precision_not_worse",
        _(
            "Precision difference {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}). "
            "Models clearly worse than {threshold:g} are rejected."
        ),
    )
    TOO_FEW_STARS = "gate.too_few_stars", _("{title}: {n_stars} later ratings; at least {min_stars} are required.")
    TOO_FEW_USERS = "gate.too_few_users", _("{title}: {n_users} users are too few to decide.")
    USERS_NEEDED = "gate.users_needed", _("{title}: {n_users} users were evaluated; at least {min_users} are required.")
    REFRESH_PASSES = (
        "gate.refresh_passes",
        _(
            "{title}: {n_users} users were evaluated; at least {min_users} are required. The other rules "
            "decide about a refresh."
        ),
    )
    NO_CHAMPION = "gate.no_champion", _("There is no champion yet. The baseline rule decides.")
    CANNOT_SCORE_NEW = "gate.cannot_score_new", _("The champion can recommend new movies, but this model cannot.")
    SAMPLE_OVER_LIVE = (
        "gate.sample_over_live",
        _("This model was trained only on sample data, but the champion was trained on ratings from this site."),
    )
    AT_LEAST = "gate.at_least", _("{title}: {figure:.4g}; at least {threshold:.4g} is required.")
    AT_MOST = "gate.at_most", _("{title}: {figure:.4g}; at most {threshold:.4g} is allowed.")
    AT_LEAST_TIMES = (
        "gate.at_least_times",
        _("{title}: {figure:.4g}; at least {threshold:.4g} is required ({ratio:g} times {reference:.4g})."),
    )
    AT_MOST_TIMES = (
        "gate.at_most_times",
        _("{title}: {figure:.4g}; at most {threshold:.4g} is allowed ({ratio:g} times {reference:.4g})."),
    )
    NO_FIGURE = "gate.no_figure", _("{title}: no value for this model; the threshold is {threshold:.4g}.")
    NO_REFERENCE = "gate.no_reference", _("{title}: no value for the champion.")
    NO_THRESHOLD = "gate.no_threshold", _("{title}: {figure:.4g}; no threshold is set ({key} in config.yaml).")
    NOTHING_KNOWN = (
        "gate.nothing_known",
        _("{title}: no value for this model, and no threshold is set ({key} in config.yaml)."),
    )
    TOO_FEW_MOVIES = "gate.too_few_movies", _("{title}: {n_liked} liked movies are too few to decide.")
    NO_REQUESTS = "gate.no_requests", _("There are no past requests to replay.")
    TOO_FEW_REQUESTS = (
        "gate.too_few_requests",
        _(
            "{title}: {n_requests} {source}; at least {min_requests} are required to compare latency, "
            "overlap and scores."
        ),
    )


register([*Rule, *ReplaySource], {message.value: message.label for message in Message})
