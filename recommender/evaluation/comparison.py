"""Compares models on the same later data. The gate uses the result.

Each model is fitted to all data before a cut and asked for the same lists after it. There is one row per user and cut.
Cuts are pooled, and intervals resample whole users with all their cuts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from time import perf_counter
from typing import Any, Self

import numpy as np
import pandas as pd

from recommender.evaluation.baselines import Fitter, simple_baselines
from recommender.evaluation.bootstrap import Interval, paired_bootstrap
from recommender.evaluation.evaluate import Evaluation
from recommender.evaluation.folds import TemporalFold
from recommender.evaluation.metrics import METRICS
from recommender.evaluation.requests import Sampling
from recommender.evaluation.splits import temporal_cuts

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """Evaluations of several models on the same lists, such as `comparison["hybrid"]`.

    Attributes
    ----------
    evaluations : dict of str to Evaluation
        The evaluations, keyed by model name.

    Examples
    --------
    >>> sorted(comparison.evaluations)
    ['ease', 'popular']
    """

    evaluations: dict[str, Evaluation]

    def __getitem__(self, name: str) -> Evaluation:
        return self.evaluations[name]

    def difference(
        self, candidate: str, reference: str, metric: str = "ndcg", part: str | None = None, **options: Any
    ) -> Interval:
        """Compute the mean difference, candidate minus reference, paired by user and cut.

        Parameters
        ----------
        candidate, reference
            Model names.
        metric
            One of METRICS.
        part
            One of SLICES; None means all lists.
        **options
            Options of `paired_bootstrap`.

        Returns
        -------
        Interval
            Positive if the candidate is better.

        Raises
        ------
        ValueError
            The two models were not evaluated on the same users, or `part` is unknown.

        Examples
        --------
        >>> comparison.difference("ease", "popular").n_users
        1
        """
        keys = ["user_id", "cut"]
        pairs = (
            self[candidate].per_user(part).merge(self[reference].per_user(part), on=keys, how="outer", indicator=True)
        )
        if not (pairs["_merge"] == "both").all():
            raise ValueError(f"{candidate} and {reference} were not evaluated on the same users ({part or 'all'})")
        return paired_bootstrap(
            pairs[f"{metric}_x"].to_numpy(), pairs[f"{metric}_y"].to_numpy(), pairs["user_id"].to_numpy(), **options
        )

    def among(self, movie_ids: Iterable[Any]) -> Self:
        """Return the comparison on the same lists with only some movies as relevant.

        Parameters
        ----------
        movie_ids
            The relevant movies.

        Returns
        -------
        Comparison
            A new comparison. This one does not change.

        Examples
        --------
        >>> comparison.among([4, 5])["ease"].positives["movie_id"].nunique()
        1
        """
        movie_ids = list(movie_ids)
        return type(self)({name: evaluation.among(movie_ids) for name, evaluation in self.evaluations.items()})

    def best_simple_baseline(self, metric: str = "ndcg") -> str:
        """Return the name of the best simple baseline.

        Parameters
        ----------
        metric
            The key of `Evaluation.summary` to compare by.

        Returns
        -------
        str
            One of the keys of `baselines`.

        Raises
        ------
        ValueError
            No simple baseline was evaluated.

        Examples
        --------
        >>> comparison.best_simple_baseline()
        'popular'
        """
        names = simple_baselines(self.evaluations)
        if not names:
            raise ValueError("no simple baseline was evaluated")
        return max(names, key=lambda name: self[name].summary()[metric])

    def table(self) -> pd.DataFrame:
        """Return the summaries as a table.

        Returns
        -------
        pandas.DataFrame
            One row per model, best nDCG first. The columns are the keys of `Evaluation.summary`.

        Examples
        --------
        >>> comparison.table().index.tolist()
        ['ease', 'popular']
        """
        rows = {name: evaluation.summary() for name, evaluation in self.evaluations.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.sort_values(METRICS[0], ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Return all evaluations as JSON-compatible values.

        Returns
        -------
        dict
            `Evaluation.to_dict`, keyed by model name.

        Examples
        --------
        >>> list(comparison.to_dict()["ease"])
        ['k', 'summary', 'slices', 'seconds']
        """
        return {name: evaluation.to_dict() for name, evaluation in self.evaluations.items()}


def evaluate_on_cuts(
    fitters: Mapping[str, Fitter],
    ratings: pd.DataFrame,
    movies: pd.DataFrame | None = None,
    cuts: Sequence[float | datetime] = (0.7, 0.8, 0.9),
    *,
    k: int = 10,
    implicit_threshold: float | None = None,
    sampling: Sampling | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Fit each model to the data before each cut and evaluate it on the data after the cut.

    For each later positive, the model makes a list from the user's earlier ratings, and the metrics depend on the rank
    of the positive. The list is chosen from all movies rated before the cut. Users without ratings are included. Movies
    first rated after the cut have their own slice.

    Parameters
    ----------
    fitters
        Functions Dataset -> fitted Recommender, keyed by name. A fitter gets the data known before the cut, including
        metadata. It may return a model trained elsewhere, but not on later data.
    ratings, movies
        See `Dataset.from_frames`.
    cuts
        See `temporal_cuts`.
    k
        Length of the lists.
    implicit_threshold
        Ratings of at least this value are positives. None makes all ratings positives.
    sampling
        Limits the number of lists.
    progress
        Called as progress(step, done, total) before each step and at the end. An exception stops the evaluation.

    Returns
    -------
    Comparison
        The evaluations, pooled over cuts.

    Raises
    ------
    ValueError
        There are no fitters, or no positive after a cut is of a movie rated before it.

    Examples
    --------
    >>> fitters = {"ease": fitter("ease", regularization=1.0), "popular": fitter("popularity")}
    >>> evaluate_on_cuts(fitters, ratings, cuts=[0.7])["ease"].k
    10
    """
    if not fitters:
        raise ValueError("fitters: expected at least one model to evaluate")
    splits = temporal_cuts(ratings, cuts)
    n_steps, done = 2 * len(splits) * len(fitters), count()

    def report(step: str) -> None:
        if progress is not None:
            progress(step, next(done), n_steps)

    result: dict[str, list[Evaluation]] = {name: [] for name in fitters}
    for split in splits:
        later = TemporalFold.after(split, movies, implicit_threshold, sampling)
        for name, fit in fitters.items():
            report(f"fit {name} before {split.cut:%Y-%m-%d}")
            started = perf_counter()
            model = fit(later.dataset)
            seconds = perf_counter() - started
            report(f"evaluate {name} after {split.cut:%Y-%m-%d}")
            evaluation = later.evaluate(model, k)
            result[name].append(replace(evaluation, seconds=evaluation.seconds | {"fit": seconds}))
    report("done")
    return Comparison({name: pool(evaluations) for name, evaluations in result.items()})


def pool(evaluations: list[Evaluation]) -> Evaluation:
    """Return the evaluations of one model on several cuts as one evaluation."""
    starts = np.cumsum([0] + [len(evaluation.lists) for evaluation in evaluations])
    positives = [
        evaluation.positives.assign(list=evaluation.positives["list"] + start)
        for evaluation, start in zip(evaluations, starts[:-1], strict=True)
    ]
    new_movies = [evaluation.new_movies for evaluation in evaluations if evaluation.new_movies is not None]
    return Evaluation(
        k=evaluations[0].k,
        lists=_stack([evaluation.lists for evaluation in evaluations]),
        positives=_stack(positives),
        catalogue=dict(pd.DataFrame([evaluation.catalogue for evaluation in evaluations]).mean()),
        stars=_stack([evaluation.stars for evaluation in evaluations]),
        new_movies=_stack(new_movies) if new_movies else None,
        shown=pd.concat([evaluation.shown for evaluation in evaluations]).groupby(level=0).sum(),
        seconds=dict(pd.DataFrame([evaluation.seconds for evaluation in evaluations]).sum()),
    )


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]
