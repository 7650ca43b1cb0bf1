"""What a saved model is asked in a fresh process; plain Python, no Django."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from recommender.estimators import Dataset

History = dict[int, float]

PROBE_USERS = 50
HELD_BACK = 3  # every third liked movie is taken out of a history and looked for in the list


@dataclass(frozen=True)
class Probe:
    """What a model is asked, and what is known of the data it should come from.

    `histories` holds people of the training data, the empty one first, each without some movies they liked, which are
    in `liked`. The model has seen those: not to find them again means that the files are not of this data.
    """

    algorithm: str
    fingerprint: str
    n_rated_movies: int
    histories: list[History]
    liked: list[list[int]] = field(default_factory=list)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Probe":
        histories = [{int(movie): float(rating) for movie, rating in row.items()} for row in content.pop("histories")]
        return cls(**content, histories=histories)


def probe_of(dataset: "Dataset", algorithm: str, random_state: int) -> Probe:
    """The empty history, and those of some users of the training data without some of what they liked."""
    rng = np.random.default_rng(random_state)
    rows = rng.choice(dataset.n_users, size=min(PROBE_USERS, dataset.n_users), replace=False)
    split = [_split(_history(dataset, int(row)), dataset.implicit_threshold, rng) for row in sorted(rows)]
    return Probe(
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
