from typing import Any

from django.db import models

from catalog.models.querysets import SearchTermQuerySet
from catalog.models.source import Source
from catalog.text import TERM_LENGTH


class AlternativeTitle(models.Model):
    """Another title of a movie: search finds it, pages do not show it."""

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
    """A word or a whole title that search knows, used to correct misspelt queries.

    It is also stored reversed: a word with one wrong letter has its first or its second half right.
    """

    term = models.CharField(max_length=TERM_LENGTH)
    reversed = models.CharField(max_length=TERM_LENGTH)
    length = models.PositiveSmallIntegerField()

    objects = SearchTermQuerySet.as_manager()

    class Meta:
        # The operator classes let Postgres look up prefixes in any collation; SQLite ignores them.
        constraints = [
            models.UniqueConstraint(
                fields=["length", "term"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_unique",
            )
        ]
        indexes = [
            models.Index(
                fields=["length", "reversed"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_reversed",
            )
        ]

    def __str__(self) -> str:
        return self.term
