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

import pandas as pd

from recommender.estimators import Dataset, Recommender
from recommender.evaluation.baselines import Fitter, simple_baselines
from recommender.evaluation.bootstrap import Interval, paired_bootstrap
from recommender.evaluation.evaluate import Evaluation, evaluate_requests, pool, predict_stars
from recommender.evaluation.metrics import METRICS
from recommender.evaluation.requests import Requests, Sampling, later_positives
from recommender.evaluation.splits import TimeSplit, temporal_cuts

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    evaluations: dict[str, Evaluation]

    def __getitem__(self, name: str) -> Evaluation:
        return self.evaluations[name]

    def difference(
        self, candidate: str, reference: str, metric: str = "ndcg", part: str | None = None, **options: Any
    ) -> Interval:
        """Candidate less reference, paired by user and cut; `part` is one of SLICES, `options` go to the bootstrap."""
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
        """The same lists, with only these movies counting as right."""
        movie_ids = list(movie_ids)
        return type(self)({name: evaluation.among(movie_ids) for name, evaluation in self.evaluations.items()})

    def best_simple_baseline(self, metric: str = "ndcg") -> str:
        """Name of the best simple baseline by that metric; ValueError if none was evaluated."""
        names = simple_baselines(self.evaluations)
        if not names:
            raise ValueError("no simple baseline was evaluated")
        return max(names, key=lambda name: self[name].summary()[metric])

    def table(self) -> pd.DataFrame:
        """Summary metrics, one row per model, best nDCG first."""
        rows = {name: evaluation.summary() for name, evaluation in self.evaluations.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.sort_values(METRICS[0], ascending=False, kind="stable")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: `Evaluation.to_dict` of each model by name."""
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
    """Fit each model before each cut and evaluate it after; see `temporal_cuts` and `later_positives`.

    A fitter gets the Dataset of what was known before the cut, metadata included, and may return a model that was
    trained elsewhere on no later data. `progress(step, done, total)` is called before each step and at the end;
    what it raises stops the evaluation.
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


@dataclass(frozen=True)
class TemporalFold:
    """One cut: what models learn from before it (`dataset`) and what all of them are asked after it, made once."""

    split: TimeSplit
    dataset: Dataset
    catalogue: pd.DataFrame
    requests: Requests
    of_new_movies: Requests
    new_movies: list[Any]

    @classmethod
    def after(
        cls, split: TimeSplit, movies: pd.DataFrame | None, threshold: float | None, sampling: Sampling | None
    ) -> Self:
        rated_later = split.test["movie_id"].unique()
        known = set(split.train["movie_id"].unique())
        requests = later_positives(split, threshold, sampling=sampling)
        if not len(requests):
            raise ValueError(f"cut {split.cut}: no later positive of a movie that was rated before")
        return cls(
            split=split,
            dataset=training_dataset(split.train, movies, threshold),
            catalogue=_catalogue(movies, split),
            requests=requests,
            of_new_movies=later_positives(split, threshold, of_new_movies=True, sampling=sampling),
            new_movies=[movie for movie in rated_later.tolist() if movie not in known],
        )

    def evaluate(self, model: Recommender, k: int) -> Evaluation:
        """Metrics of a model fitted on `dataset`, for lists of k movies; new movies have a slice of their own."""
        # Later histories hold movies that came after the cut: the model must know their ids, as in a running site.
        model = model.with_movies(self.catalogue)
        users = self.requests.table["user_id"].unique()
        test = self.split.test[self.split.test["user_id"].isin(users)]
        stars = predict_stars(model, test, self.split.train, self.split.cut.isoformat())
        evaluation = evaluate_requests(model, self.requests, self.split.train, k=k, stars=stars)
        if not model.scores_new_movies or not len(self.of_new_movies):
            return evaluation
        new = evaluate_requests(model, self.of_new_movies, self.split.train, k=k, candidates=self.new_movies)
        return replace(evaluation, new_movies=new.lists)


def training_dataset(train: pd.DataFrame, movies: pd.DataFrame | None, threshold: float | None) -> Dataset:
    """These ratings, with the metadata of their movies only: encoders must not learn from later movies."""
    known = None if movies is None else movies[movies["movie_id"].isin(train["movie_id"].unique())]
    return Dataset.from_frames(train, known, threshold)


def _catalogue(movies: pd.DataFrame | None, split: TimeSplit) -> pd.DataFrame:
    """`movies`, with a bare row for each rated movie that it lacks."""
    rated = pd.concat([split.train["movie_id"], split.test["movie_id"]]).drop_duplicates()
    if movies is None:
        return pd.DataFrame({"movie_id": rated})
    return pd.concat([movies, pd.DataFrame({"movie_id": rated[~rated.isin(movies["movie_id"])]})], ignore_index=True)
