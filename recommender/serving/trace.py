"""The trace of one list: the sources that were tried, and how many movies each step kept or removed."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    """The outcome of trying one source. For an empty list, the last outcome is the reason."""

    ANSWERED = "answered", _("movies were returned")
    SOURCE_FAILED = "source_failed", _("an exception occurred; see the log")
    NO_HISTORY = "no_history", _("the model does not know any movie that the user rated or watched")
    NEW_NOT_SCORED = "new_not_scored", _("the model does not score new movies")
    UNKNOWN_MOVIE = "unknown_movie", _("the model does not score the movie")
    NO_MOVIES = "no_movies", _("the movie is not in the catalogue")
    NO_NEW_MOVIES = "no_new_movies", _("every movie in the catalogue has a rating in the model's data")
    NO_MATCH = "no_match", _("no movies match the filters")
    ALL_EXCLUDED = "all_excluded", _("all movies are excluded")
    MOVIES_DELETED = "movies_deleted", _("the movies were deleted after the model was loaded")


class Step(TextChoices):
    """A step that changed the number of candidates."""

    CATALOG = "catalog", _("movies in the catalogue")
    WITH_RATINGS = "with_ratings", _("movies with ratings")
    MATCHING = "matching", _("match the filters")
    LIKE_THIS = "like_this", _("most similar movies")
    NOT_IN_MODEL = "not_in_model", _("without a rating in the model's data (new movies)")
    NOT_NEW = "not_new", _("with a rating in the model's data (not new)")
    FILTERED = "filtered", _("do not match the filters")
    SEEN = "seen", _("seen: rated or watched by the user")
    DISMISSED = "dismissed", _("dismissed by the user")
    REQUESTED = "requested", _("excluded by the request or already in the list")
    ELIGIBLE = "eligible", _("remaining candidates")
    RANKED = "ranked", _("best candidates by score")
    DIVERSE = "diverse", _("kept after re-ranking for diversity, up to the requested length")
    BLENDED = "blended", _("new movies blended in")
    DELETED = "deleted", _("deleted after the model was loaded")
    LISTED = "listed", _("in the list")


@dataclass
class Attempt:
    """One request to one source for `wanted` movies. Removed movies have negative counts in `steps`."""

    source: str
    version: int | None
    wanted: int
    outcome: Outcome = Outcome.ALL_EXCLUDED
    seconds: float = 0.0
    steps: list[tuple[Step, int]] = field(default_factory=list)


class ListTrace:
    """The attempts for one list, in order. Steps are counted only with `is_detailed`, because this takes queries."""

    def __init__(self, *, is_detailed: bool = False) -> None:
        self.is_detailed = is_detailed
        self.attempts: list[Attempt] = []

    def start(self, source: str, version: int | None, wanted: int) -> Attempt:
        self.attempts.append(Attempt(source, version, wanted))
        return self.attempts[-1]

    def count(self, step: Step, n: int) -> None:
        if self.is_detailed and self.attempts:
            self.attempts[-1].steps.append((step, n))

    def nothing(self, outcome: Outcome) -> list[Any]:
        """Record why the current source has no candidates, and return an empty list."""
        if self.attempts:
            self.attempts[-1].outcome = outcome
        return []

    @property
    def empty_reason(self) -> Outcome:
        """Return why the list is empty. Call it only for an empty list."""
        last = self.attempts[-1].outcome
        return Outcome.MOVIES_DELETED if last == Outcome.ANSWERED else last

    def summary(self) -> str:
        return ", ".join(f"{attempt.source}: {attempt.outcome.value}" for attempt in self.attempts)
