"""The input of the smoke test: user histories, and facts about the training data. Does not use Django."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from recommender.estimators import Dataset

History = dict[int, float]

USERS = 50
HELD_BACK = 3  # one in three liked movies is removed from the history and expected in the list


@dataclass(frozen=True)
class SmokeTestInput:
    """Histories to recommend for, and facts about the data that the model should have been trained on.

    `histories` holds an empty history and those of some training users, without the movies in `liked`. The model was
    trained on the liked movies too. If it does not recommend them, its files belong to other data.
    """

    algorithm: str
    fingerprint: str
    n_rated_movies: int
    histories: list[History]
    liked: list[list[int]] = field(default_factory=list)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "SmokeTestInput":
        histories = [{int(movie): float(rating) for movie, rating in row.items()} for row in content.pop("histories")]
        return cls(**content, histories=histories)


def smoke_test_input(dataset: "Dataset", algorithm: str, random_state: int) -> SmokeTestInput:
    """Returns the input, with an empty history and those of up to `USERS` random training users."""
    rng = np.random.default_rng(random_state)
    rows = rng.choice(dataset.n_users, size=min(USERS, dataset.n_users), replace=False)
    split = [_split(_history(dataset, int(row)), dataset.implicit_threshold, rng) for row in sorted(rows)]
    return SmokeTestInput(
        algorithm=algorithm,
        fingerprint=dataset.fingerprint(),
        n_rated_movies=int(dataset.is_rated.sum()),
        histories=[{}, *(history for history, _ in split)],
        liked=[[], *(liked for _, liked in split)],
    )


def _history(dataset: "Dataset", row: int) -> History:
    part = slice(dataset.ratings.indptr[row], dataset.ratings.indptr[row + 1])
    movies = dataset.movie_ids[dataset.ratings.indices[part]]
    return {int(movie): float(rating) for movie, rating in zip(movies, dataset.ratings.data[part], strict=True)}


def _split(history: History, threshold: float | None, rng: np.random.Generator) -> tuple[History, list[int]]:
    liked = [movie for movie, rating in history.items() if threshold is None or rating >= threshold]
    held = set(rng.permutation(liked)[: len(liked) // HELD_BACK].tolist())
    return {movie: rating for movie, rating in history.items() if movie not in held}, sorted(held)
