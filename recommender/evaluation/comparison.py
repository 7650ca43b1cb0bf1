"""Models compared on the same later data: what the gate decides on.

Each model is fitted on everything before a cut and asked for the same lists after it. Rows are users of a cut;
cuts are pooled, and intervals draw whole users with all their cuts.
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
    """Evaluations of several models on the same lists; `comparison["hybrid"]` is one of them.

    Attributes
    ----------
    evaluations : dict of str to Evaluation
        By name of the model.

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
        """Compute candidate less reference, paired by user and cut.

        Parameters
        ----------
        candidate, reference
            Names of models.
        metric
            One of METRICS.
        part
            One of SLICES; None means all lists.
        **options
            Those of `paired_bootstrap`.

        Returns
        -------
        Interval
            Above 0 where the candidate is better.

        Raises
        ------
        ValueError
            The two were not evaluated on the same users, or `part` is unknown.

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
        """Return the same lists, with only some movies counting as right.

        Parameters
        ----------
        movie_ids
            Those movies.

        Returns
        -------
        Comparison
            This one stays as it is.

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
            The key of `Evaluation.summary` that decides.

        Returns
        -------
        str
            One of the names that `baselines` gives.

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
            One row per model, best nDCG first; the columns of `Evaluation.summary`.

        Examples
        --------
        >>> comparison.table().index.tolist()
        ['ease', 'popular']
        """
        rows = {name: evaluation.summary() for name, evaluation in self.evaluations.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.sort_values(METRICS[0], ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """Return all evaluations for JSON.

        Returns
        -------
        dict
            `Evaluation.to_dict` by name of the model.

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
    """Fit each model before each cut and evaluate it after.

    Each later positive is looked for in the list folded in from that user's earlier ratings; all movies rated before
    the cut are ranked. Users without ratings take part. Movies new after the cut have a slice of their own.

    Parameters
    ----------
    fitters
        By name: Dataset -> fitted Recommender. A fitter gets what was known before the cut, metadata included. It may
        return a model that was trained elsewhere on no later data.
    ratings, movies
        As for `Dataset.from_frames`.
    cuts
        As for `temporal_cuts`.
    k
        Length of the lists.
    implicit_threshold
        The rating from which on a rating is a positive; None makes all of them positives.
    sampling
        Bounds the number of lists.
    progress
        Called as progress(step, done, total) before each step and at the end; what it raises stops the evaluation.

    Returns
    -------
    Comparison
        Pooled over cuts.

    Raises
    ------
    ValueError
        There is no fitter, or a cut has no later positive of a movie that was rated before.

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
    """Cuts of one model as one evaluation."""
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
