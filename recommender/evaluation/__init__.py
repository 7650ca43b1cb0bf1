"""Evaluates recommenders: splits by time, metrics, slices and paired intervals. Does not use Django.

The examples use the names defined in the examples of `recommender.estimators`, and these:

Examples
--------
>>> import numpy as np
>>> from recommender.evaluation import evaluate_on_cuts, fitter
>>> fitters = {"ease": fitter("ease", regularization=1.0), "popular": fitter("popularity")}
>>> comparison = evaluate_on_cuts(fitters, ratings, cuts=[0.7])
>>> comparison.table()["n_lists"].tolist()
[1, 1]
"""

from recommender.evaluation.baselines import baselines, fitter
from recommender.evaluation.bootstrap import Interval, bootstrap_mean, paired_bootstrap
from recommender.evaluation.comparison import Comparison, evaluate_on_cuts
from recommender.evaluation.evaluate import Evaluation
from recommender.evaluation.list_metrics import describe_lists
from recommender.evaluation.metrics import METRICS, accuracy, rmse
from recommender.evaluation.requests import Sampling
from recommender.evaluation.slices import SLICES
from recommender.evaluation.splits import TimeSplit, temporal_cuts

__all__ = [
    "METRICS",
    "SLICES",
    "Comparison",
    "Evaluation",
    "Interval",
    "Sampling",
    "TimeSplit",
    "accuracy",
    "baselines",
    "bootstrap_mean",
    "describe_lists",
    "evaluate_on_cuts",
    "fitter",
    "paired_bootstrap",
    "rmse",
    "temporal_cuts",
]
