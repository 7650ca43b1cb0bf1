from django.db import models

from catalog.models.source import Source


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
