"""Codes and titles of the gate's rules, and the messages about their results."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.findings import register


class Rule(TextChoices):
    """Codes of the rules, with their titles as labels. `subject` is the slice, group or model that was compared."""

    BASELINE = "gate.baseline", _("better than the best simple baseline ({subject})")
    LINEAR_MODEL = "gate.linear_model", _("against a plain linear model (ease)")
    CHAMPION = "gate.champion", _("against the champion")
    CHAMPION_REFRESH = "gate.champion_refresh", _("against the champion, as a refresh")
    CHAMPION_CHANGE = "gate.champion_change", _("against the champion, as a change")
    RECENT_CHAMPION = "gate.recent_champion", _("against the best recent champion (version {subject})")
    PRECISION = "gate.precision", _("precision of the lists")
    PRECISION_CHAMPION = "gate.precision_champion", _("precision of the lists, against the champion's")
    RMSE = "gate.rmse", _("RMSE of predicted stars")
    RMSE_REFERENCE = "gate.rmse_reference", _("RMSE of predicted stars, against the champion's or the best baseline's")
    COVERAGE = "gate.coverage", _("coverage, against the champion's")
    POPULARITY_GINI = "gate.popularity_gini", _("popularity Gini, against the champion's")
    MEAN_POPULARITY = "gate.mean_popularity", _("mean popularity of recommended movies, against the champion's")
    EXPOSURE = "gate.exposure", _("exposure of {subject} ({share:.0%} of the catalogue)")
    NEW_MOVIES = "gate.new_movies", _("new movies")
    SLICE = "gate.slice", _("slice {subject}, against the champion")
    FEATURE_SECONDS = "gate.feature_seconds", _("cost of the most expensive features ({subject}), seconds")
    FEATURE_MB = "gate.feature_mb", _("cost of the most expensive features ({subject}), MB")
    ARTIFACT_MB = "gate.artifact_mb", _("artifact size, MB")
    DATA_AGE_HOURS = "gate.data_age_hours", _("data age, hours")
    LIKED_SHARE = "gate.liked_share", _("liked movies in the first tenth")
    LATENCY_MS = "gate.latency_ms", _("latency of a list, ms")
    MEMORY_MB = "gate.memory_mb", _("memory of a process, MB")
    ORIGIN = "gate.origin", _("origin of the ratings")
    REPLAY = "gate.replay", _("replay of past requests")
    REPLAY_ERRORS = "gate.replay_errors", _("replay: lists that failed, of {n_requests} {source}")
    REPLAY_EXCLUDED = "gate.replay_excluded", _("replay: seen or dismissed movies, in {n_requests} {source}")
    REPLAY_LATENCY_MS = "gate.replay_latency_ms", _("replay: 95th percentile of latency, ms")
    REPLAY_OVERLAP = "gate.replay_overlap", _("replay: overlap@10 with the champion's lists")
    REPLAY_PSI = "gate.replay_psi", _("replay: PSI of the scores")


class ReplaySource(TextChoices):
    RECENT = "replay.recent_requests", _("recent requests")
    RATERS = "replay.latest_raters", _("lists of the latest raters")


class Message(TextChoices):
    """Codes of the messages, with their sentences as labels."""

    ABOVE = (
        "gate.above",
        _(
            "nDCG differs by {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}); "
            "the lower bound must be above {threshold:g}."
        ),
    )
    NO_INTERVAL = "gate.no_interval", _("{title}: too few users for an interval ({n_users}).")
    NOT_WORSE = (
        "gate.not_worse",
        _(
            "nDCG differs by {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}); "
            "a model that is clearly worse than {threshold:g} is refused."
        ),
    )
    PRECISION_NOT_WORSE = (
        "gate.precision_not_worse",
        _(
            "Precision differs by {figure:+.4f} [{low:+.4f}, {high:+.4f}], {n_users} users ({title}); "
            "a model that is clearly worse than {threshold:g} is refused."
        ),
    )
    TOO_FEW_STARS = "gate.too_few_stars", _("{title}: {n_stars} later ratings, {min_stars} are needed.")
    TOO_FEW_USERS = "gate.too_few_users", _("{title}: {n_users} users, too few to decide.")
    USERS_NEEDED = "gate.users_needed", _("{title}: {n_users} users were evaluated, {min_users} are needed.")
    REFRESH_PASSES = (
        "gate.refresh_passes",
        _("{title}: {n_users} users were evaluated, {min_users} are needed; a refresh passes on the other rules."),
    )
    NO_CHAMPION = "gate.no_champion", _("There is no champion yet: the baseline rule decides.")
    CANNOT_SCORE_NEW = "gate.cannot_score_new", _("The champion can recommend new movies, this model cannot.")
    SAMPLE_OVER_LIVE = (
        "gate.sample_over_live",
        _("This model learnt from sample data alone, the champion from ratings of this site."),
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
    NO_FIGURE = "gate.no_figure", _("{title}: this model has no figure; the threshold is {threshold:.4g}.")
    NO_REFERENCE = "gate.no_reference", _("{title}: the champion has no figure.")
    NO_THRESHOLD = "gate.no_threshold", _("{title}: {figure:.4g}; no threshold is set ({key} in config.yaml).")
    NOTHING_KNOWN = (
        "gate.nothing_known",
        _("{title}: this model has no figure, and no threshold is set ({key} in config.yaml)."),
    )
    TOO_FEW_MOVIES = "gate.too_few_movies", _("{title}: {n_liked} movies to look for, too few to decide.")
    NO_REQUESTS = "gate.no_requests", _("There are no past requests to replay.")
    TOO_FEW_REQUESTS = (
        "gate.too_few_requests",
        _("{title}: {n_requests} {source}; {min_requests} are needed to compare latency, overlap and scores."),
    )


register([*Rule, *ReplaySource], {message.value: message.label for message in Message})
