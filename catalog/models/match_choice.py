"""Rows that a user's file or media server names and the site could not match, and what their owner chose for them."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.movie import Movie
from catalog.models.reasons import Code, describe


class Matched(models.Model):
    """Base of rows that are matched with a movie. If there is none, `reasons` explain why.

    `identity` has the row's ids at their sites, or else its title, year and format, and says which other rows are about
    the same movie. It is empty for rows that need no match.
    """

    class Choice(models.TextChoices):
        MOVIE = "movie", _("chosen by you")
        NONE = "none", _("none of the suggestions")

    title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True)
    reasons = models.JSONField(default=list, help_text="Why there is no movie, as codes.")
    identity = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    choice = models.CharField(
        max_length=8, choices=Choice, blank=True, default="", db_default="", help_text="What the owner chose."
    )

    candidates: Sequence[Movie] = ()  # see imports.candidates

    class Meta:
        abstract = True

    @property
    def reason(self) -> str:
        return f"{describe(self.reasons)}." if self.reasons else ""

    @property
    def is_matchable(self) -> bool:
        """Whether its owner can choose a movie for it."""
        raise NotImplementedError

    @property
    def is_not_a_movie(self) -> bool:
        return any(code == Code.NOT_A_MOVIE for code, _params in self.reasons)


class MatchChoice(models.Model):
    """The movie that a user chose for an unmatched row, for later rows of the same identity.

    Without a movie, none of the suggestions was right.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="match_choices")
    identity: Any = models.JSONField(help_text="Which rows it applies to; as in the rows themselves.")
    title = models.CharField(max_length=300, blank=True, help_text="As in the row.")
    year = models.PositiveSmallIntegerField(null=True, help_text="As in the row.")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, null=True, related_name="match_choices")
    chosen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-chosen_at", "-id"]

    def __str__(self) -> str:
        return f"{self.title or self.identity} of {self.user_id}"
