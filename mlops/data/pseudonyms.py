"""Pseudonyms: the numbers that stand for users in snapshots, so that no file names a person."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import Exists, OuterRef

from catalog.models import Rating, User
from mlops.models import UserPseudonym

BATCH = 5_000


@dataclass(frozen=True)
class Pseudonyms:
    """Sorted ids of users and the number of each."""

    users: np.ndarray[Any, Any]
    numbers: np.ndarray[Any, Any]

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Replaces users by their numbers; drops rows of users without one (new or deleted accounts)."""
        positions = np.searchsorted(self.users, frame["user_id"].to_numpy())
        known = np.append(self.users, -1)[positions] == frame["user_id"].to_numpy()
        return frame[known].assign(user_id=self.numbers[positions[known]])


def pseudonyms() -> Pseudonyms:
    """The pseudonyms of all users with ratings; creates missing ones."""
    _create_missing()
    rows = list(UserPseudonym.objects.order_by("user_id").values_list("user_id", "number").iterator())
    return Pseudonyms(
        users=np.array([user for user, _ in rows], dtype=np.int64),
        numbers=np.array([number for _, number in rows], dtype=np.int64),
    )


def are_all_known(numbers: set[int]) -> bool:
    """False when one of these users deleted their account."""
    return numbers.issubset(UserPseudonym.objects.values_list("number", flat=True).iterator())


def _create_missing() -> None:
    without = User.objects.filter(Exists(Rating.objects.filter(user=OuterRef("pk")))).filter(pseudonym=None)
    while users := list(without.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # A conflict is a concurrent export, or a number drawn twice: the next round handles it.
        UserPseudonym.objects.bulk_create([UserPseudonym(user_id=user) for user in users], ignore_conflicts=True)
