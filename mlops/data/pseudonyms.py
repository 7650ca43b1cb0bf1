"""The numbers that stand for users in snapshots: a file that leaves this database names nobody."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import Exists, OuterRef

from catalog.models import Rating, User
from mlops.models import UserSurrogate

BATCH = 5_000


@dataclass(frozen=True)
class Surrogates:
    """`numbers` in the order of `users`, which are sorted."""

    users: np.ndarray[Any, Any]
    numbers: np.ndarray[Any, Any]

    def put_on(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with numbers for users. Rows of a user who has none yet, or none any more, are left out."""
        places = np.searchsorted(self.users, frame["user_id"].to_numpy())
        known = np.append(self.users, -1)[places] == frame["user_id"].to_numpy()
        return frame[known].assign(user_id=self.numbers[places[known]])


def surrogates() -> Surrogates:
    """Of everybody who has rated; made for those who have none yet."""
    _create_missing()
    rows = list(UserSurrogate.objects.order_by("user_id").values_list("user_id", "number").iterator())
    return Surrogates(
        users=np.array([user for user, _ in rows], dtype=np.int64),
        numbers=np.array([number for _, number in rows], dtype=np.int64),
    )


def are_all_known(numbers: set[int]) -> bool:
    """False when one of these users has deleted their account."""
    return numbers.issubset(UserSurrogate.objects.values_list("number", flat=True).iterator())


def _create_missing() -> None:
    without = User.objects.filter(Exists(Rating.objects.filter(user=OuterRef("pk")))).filter(surrogate=None)
    while users := list(without.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # A conflict is another export that did the same, or a number drawn twice: the next round sees to it.
        UserSurrogate.objects.bulk_create([UserSurrogate(user_id=user) for user in users], ignore_conflicts=True)
