"""Reads of the catalogue: what a set of movies or ratings can be asked."""

from datetime import datetime
from typing import Any, Self

from django.db import models

from catalog.text import fold


class MovieQuerySet(models.QuerySet[Any]):
    def matching(self, query: str) -> Self:
        """Titles that hold every word of `query`, whatever the case and accents."""
        found = self
        for word in fold(query).split():
            found = found.filter(search_title__contains=word)
        return found

    def newest(self) -> Self:
        """Latest release first; movies without a date last."""
        return self.order_by(
            models.F("release_date").desc(nulls_last=True), models.F("year").desc(nulls_last=True), "id"
        )


class RatingQuerySet(models.QuerySet[Any]):
    def for_training(self) -> Self:
        """Ratings a model may learn from, in the order they were given: those of active users."""
        return self.filter(user__is_active=True).order_by("rated_at", "id")

    def since(self, moment: datetime) -> Self:
        return self.filter(rated_at__gte=moment)
