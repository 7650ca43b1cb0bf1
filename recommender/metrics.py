"""Figures of the request path; what is read from rows at scrape time is elsewhere."""

from prometheus_client import Counter, Histogram

PREDICTIONS = Counter(
    "model_predictions_total",
    "Lists that were made, by what they consist of and by the model's version (none: no model took part).",
    ["source", "version"],
)
PREDICTION_SECONDS = Histogram(
    "model_prediction_duration_seconds",
    "Time to make one list, without drawing it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
FALLBACKS = Counter("movierec_fallbacks_total", "Lists that were not made by the champion, by step.", ["step"])
STEP_ERRORS = Counter("movierec_step_errors_total", "Steps of the ladder that failed with an exception.", ["step"])
MODEL_LOAD_FAILURES = Counter("movierec_model_load_failures_total", "Artefacts that this process refused to serve.")
MODEL_SWAPS = Counter("movierec_model_swaps_total", "Changes of the served champion in this process.")
IMPRESSIONS_DROPPED = Counter("movierec_impressions_dropped_total", "Shown lists that could not be kept.")
FEEDBACK = Counter("movierec_feedback_total", "What users did with recommended movies.", ["kind"])
