"""Inner splits for tuning the hybrid: the latest weeks of its data, or random ratings."""

import logging
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, positives_of
from recommender.estimators.validation import sample_users, split_random

logger = logging.getLogger(__name__)

DAY_NS = 86_400 * 10**9
FIRST_WINDOW_DAYS = 7
MIN_USERS = 300
MAX_USERS = 1000  # users in each window
MAX_WINDOWS = 6
MAX_RANDOM_USERS = 2400
LARGEST_HIDDEN_SHARE = 0.3
RANDOM_SHARE = 0.2
MAX_RANDOM_SPLITS = 4  # with few users a single split is too noisy


class InnerSplit(NamedTuple):
    train: Dataset
    users: Array  # rows of the users with held-out positives
    answers: csr_matrix  # the held-out positives, one row per user in `users`


def inner_splits(dataset: Dataset, validation: str, random_state: int) -> tuple[str, list[InnerSplit]]:
    """Return the validation used, "time" or "random", and its splits, latest first.

    Falls back from "time" to "random" if no late window has enough users.
    """
    if validation == "time":
        windows = _time_windows(dataset, random_state) if dataset.has_times else []
        if windows:
            return "time", windows
        logger.info(
            "validation: falling back to a random split, since %s",
            f"no late window has {MIN_USERS} users with earlier positives" if dataset.has_times else "time is constant",
        )
    return "random", random_splits(dataset, random_state)


def random_splits(dataset: Dataset, random_state: int) -> list[InnerSplit]:
    """Return splits that hold out a random fifth of each user's ratings. Returns several if there are few users."""
    n_splits = int(np.clip(MAX_RANDOM_USERS // max(dataset.n_users, 1), 1, MAX_RANDOM_SPLITS))
    splits = []
    for seed in range(random_state, random_state + n_splits):
        train, answers = split_random(dataset, RANDOM_SHARE, seed)
        users = sample_users(answers, MAX_RANDOM_USERS, seed)
        splits.append(InnerSplit(train, users, answers[users]))
    return splits


def _time_windows(dataset: Dataset, random_state: int) -> list[InnerSplit]:
    """Return consecutive windows of equal length, latest first.

    The length starts at a week and is doubled until the latest window has enough users.
    """
    days = FIRST_WINDOW_DAYS
    while True:
        windows: list[InnerSplit] = []
        for age in range(MAX_WINDOWS):
            split = _window(dataset, dataset.now - (age + 1) * days * DAY_NS, days, random_state)
            if split is None:
                break
            windows.append(split)
        if windows or _share_after(dataset, dataset.now - days * DAY_NS) > LARGEST_HIDDEN_SHARE:
            return windows
        days *= 2


def _share_after(dataset: Dataset, cut: int) -> float:
    return float((dataset.rated_at > cut).mean())


def _window(dataset: Dataset, cut: int, days: int, random_state: int) -> InnerSplit | None:
    """Return the split at `cut`, or None if there are too few users or too little data before it.

    The answers are positives of the following days, from users with positives before the cut.
    """
    if _share_after(dataset, cut) > LARGEST_HIDDEN_SHARE:
        return None
    is_late = (dataset.rated_at > cut) & (dataset.rated_at <= cut + days * DAY_NS)
    train = dataset.keep(dataset.rated_at <= cut)
    later = positives_of(dataset.keep(is_late).ratings, dataset.implicit_threshold)
    is_known = np.diff(train.positives.indptr) > 0
    if (np.diff(later.indptr)[is_known] > 0).sum() < MIN_USERS:
        return None
    answers = later.multiply(is_known[:, None]).tocsr()
    answers.eliminate_zeros()
    users = sample_users(answers, MAX_USERS, random_state)
    return InnerSplit(train, users, answers[users])
