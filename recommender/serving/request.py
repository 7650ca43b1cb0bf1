"""A request for a list: its length, the user, the filters and the excluded movies."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.bounds import MAX_IDS
from recommender.errors import InvalidRequest
from recommender.serving.filters import NO_FILTERS, FilterValues, MovieFilters
from recommender.serving.profile import UserProfile
from recommender.serving.trace import ListTrace, Step

MAX_K = 100
MAX_EXCLUDED = MAX_IDS
MAX_COMPANIONS = 5
NOVELTY = 1.0  # largest penalty on the best-known movie, relative to the mean relevance of a list


@dataclass(frozen=True)
class ListRequest:
    """A request for at most `k` movies that pass the filters and are not in `excluded`.

    `allowed` are the movies that pass the filters, or None without filters. `adventure` ranges from -1 (similar,
    well-known movies) to 1 (diverse, little-known movies). The list is for the user and the `companions`.
    """

    k: int
    profile: UserProfile
    excluded: frozenset[int]
    filters: MovieFilters = NO_FILTERS
    allowed: frozenset[int] | None = None
    adventure: float = 0.0
    companions: tuple[UserProfile, ...] = ()
    trace: ListTrace = field(default_factory=ListTrace, compare=False)

    @classmethod
    def of(
        cls,
        profile: UserProfile,
        k: int,
        *,
        filters: FilterValues | None = None,
        exclude: Iterable[int] = (),
        include_seen: bool = False,
        adventure: float = 0.0,
        companions: Iterable[UserProfile] = (),
        trace: ListTrace | None = None,
    ) -> Self:
        """Validate the request. Raises InvalidRequest."""
        if not 1 <= k <= MAX_K:
            raise InvalidRequest("k", _("expected a number from 1 to %(max)d, got %(k)d") % {"max": MAX_K, "k": k})
        if not -1 <= adventure <= 1:
            raise InvalidRequest("adventure", _("expected a number from -1 to 1, got %(n)s") % {"n": adventure})
        excluded = frozenset(exclude)
        if len(excluded) > MAX_EXCLUDED:
            values = {"max": MAX_EXCLUDED, "n": len(excluded)}
            raise InvalidRequest("exclude", _("expected at most %(max)d movies, got %(n)d") % values)
        everyone = (profile, *companions)
        unwanted = (person.dismissed if include_seen else person.excluded for person in everyone)
        wanted = MovieFilters.of(filters or {})
        return cls(
            k,
            profile,
            excluded.union(*unwanted),
            wanted,
            wanted.matching() if wanted else None,
            adventure,
            everyone[1:],
            trace or ListTrace(),
        )

    @property
    def dial(self) -> tuple[float, float]:
        """Return the strength of the diversity re-ranking and its penalty on well-known movies.

        An `adventure` of 0 gives the policy's strength and no penalty.
        """
        strength = settings.POLICY.serving.diversity
        more = (1 - strength) / 2 if self.adventure > 0 else strength
        return strength + self.adventure * more, NOVELTY * self.adventure

    def remaining(self, listed: Iterable[int]) -> Self:
        """Return the request for the remaining movies, given the listed ones."""
        ids = frozenset(listed)
        return replace(self, k=self.k - len(ids), excluded=self.excluded | ids)

    def count_excluded(self, pool: Iterable[int]) -> None:
        """Trace how many of these candidates are excluded. Each counts for the first applicable reason."""
        if not self.trace.is_detailed:
            return
        left = set(pool)
        reasons = {
            Step.SEEN: self.profile.seen & self.excluded,
            Step.DISMISSED: self.profile.dismissed,
            Step.REQUESTED: self.excluded,
        }
        for step, movies in reasons.items():
            self.trace.count(step, -len(left & movies))
            left -= movies
        self.trace.count(Step.ELIGIBLE, len(left))
