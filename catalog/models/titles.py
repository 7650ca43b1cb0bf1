from typing import Any

from django.db import models

from catalog.models.source import Source
from catalog.querysets import SearchTermQuerySet
from catalog.text import TERM_LENGTH


class AlternativeTitle(models.Model):
    """What a movie is called elsewhere: found by search, not shown in its place."""

    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, related_name="alternative_titles")
    title = models.CharField(max_length=300)
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["movie", "title"], name="catalog_alternativetitle_unique")]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self.movie.save(update_fields=["search_terms"])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **kwargs)
        self.movie.save(update_fields=["search_terms"])
        return deleted


class SearchTerm(models.Model):
    """A word or a whole name that movies are found by: what somebody may have meant who wrote it wrong.

    Reversed too, since of a word with one wrong letter either the first half or the second is right.
    """

    term = models.CharField(max_length=TERM_LENGTH)
    reversed = models.CharField(max_length=TERM_LENGTH)
    length = models.PositiveSmallIntegerField()

    objects = SearchTermQuerySet.as_manager()

    class Meta:
        # The classes of operators let Postgres look up beginnings whatever its collation; SQLite knows none.
        constraints = [
            models.UniqueConstraint(
                fields=["length", "term"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["length", "reversed"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_reversed",
            ),
        ]

    def __str__(self) -> str:
        return self.term
