"""Prometheus metrics of the request path, except those computed from database rows."""

from prometheus_client import Counter, Histogram

PREDICTIONS = Counter(
    "model_predictions_total",
    "Lists, by the source of most of their movies and by model version (none: made without a model).",
    ["source", "version"],
)
PREDICTION_SECONDS = Histogram(
    "model_prediction_duration_seconds",
    "Time to make one list, without rendering it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
FALLBACKS = Counter("movierec_fallbacks_total", "Lists not made by the champion, by fallback source.", ["step"])
EMPTY_LISTS = Counter("movierec_empty_lists_total", "Lists without a movie.", ["surface", "reason"])
SOURCE_ERRORS = Counter("movierec_step_errors_total", "Exceptions in a source of the fallback chain.", ["step"])
MODEL_LOAD_FAILURES = Counter("movierec_model_load_failures_total", "Artefacts that this process refused to serve.")
MODEL_SWAPS = Counter("movierec_model_swaps_total", "Changes of the served champion in this process.")
IMPRESSIONS_DROPPED = Counter("movierec_impressions_dropped_total", "Shown lists that could not be recorded.")
FEEDBACK = Counter("movierec_feedback_total", "User feedback on recommended movies.", ["kind"])
REQUESTS_REFUSED = Counter("movierec_requests_refused_total", "Answered 503: more to do than the process can in time.")
