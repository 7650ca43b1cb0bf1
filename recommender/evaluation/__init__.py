"""How good a recommender is: splits, metrics, slices and paired intervals; plain Python, no Django."""

from recommender.evaluation.baselines import baselines, fitter, popularity_baselines
from recommender.evaluation.bootstrap import Interval, bootstrap_mean, paired_bootstrap
from recommender.evaluation.comparison import Comparison, TemporalFold, evaluate_on_cuts
from recommender.evaluation.evaluate import Evaluation, evaluate
from recommender.evaluation.groups import movie_groups, shares
from recommender.evaluation.requests import Sampling
from recommender.evaluation.slices import SLICES
from recommender.evaluation.splits import (
    ColdSplit,
    Split,
    TimeSplit,
    hide_cold_movies,
    leave_ratings_out,
    rolling_weeks,
    temporal_cuts,
)

__all__ = [
    "SLICES",
    "ColdSplit",
    "Comparison",
    "Evaluation",
    "Interval",
    "Sampling",
    "Split",
    "TemporalFold",
    "TimeSplit",
    "baselines",
    "bootstrap_mean",
    "evaluate",
    "evaluate_on_cuts",
    "fitter",
    "hide_cold_movies",
    "leave_ratings_out",
    "movie_groups",
    "paired_bootstrap",
    "popularity_baselines",
    "rolling_weeks",
    "shares",
    "temporal_cuts",
]
