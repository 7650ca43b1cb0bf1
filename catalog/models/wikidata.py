"""Syncs with Wikidata: runs, the item of each movie, and the labels of items that movies refer to."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from django.db import models
from django.db.models import Case, OuterRef, Subquery, When
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import get_language

from catalog.models.job import Job
from catalog.models.movie import Movie


class WikidataRun(Job):
    """One sync with Wikidata, by one worker. The records store what is due, so an interrupted run loses nothing."""

    KIND = "wikidata"
    EXCLUSIVE = "Wikidata"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    limit = models.PositiveIntegerField(null=True, blank=True, help_text="Movies to read at most; empty: all due.")
    n_due = models.PositiveIntegerField(default=0, help_text="Movies that were due when it began.")
    counts = models.JSONField(default=dict, help_text="Movies by outcome.")

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "Wikidata run"

    def __str__(self) -> str:
        return f"Wikidata sync {self.pk}"

    @property
    def n_done(self) -> int:
        return sum(self.counts.values())


class WikidataRecord(models.Model):
    """The Wikidata item of a movie, and when it was last read."""

    class State(models.TextChoices):
        MATCHED = "matched", "found, not read yet"
        READ = "read", "read"
        ABSENT = "absent", "no item has its ids"
        FAILED = "failed", "failed"

    movie = models.OneToOneField(Movie, on_delete=models.CASCADE, related_name="wikidata")
    qid = models.PositiveIntegerField(null=True, blank=True, db_index=True, help_text="Number of the item.")
    state = models.CharField(max_length=16, choices=State)
    reason = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When its facts were last read.")
    checked_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="When Wikidata was last queried.")

    class Meta:
        ordering = ["-checked_at", "-id"]
        verbose_name = "Wikidata record"

    def __str__(self) -> str:
        return f"Q{self.qid}" if self.qid else f"no item for {self.movie_id}"


class ArticleQuerySet(models.QuerySet[Any]):
    def for_reader(self) -> Subquery:
        """Returns a subquery for the movie's article, in the current language if available. Pass its value to `of`."""
        is_another = Case(When(language=get_language(), then=0), default=1)
        best = self.filter(movie=OuterRef("pk")).order_by(is_another, "language")
        return Subquery(best.values(found=JSONObject(language="language", title="title", text="text"))[:1])

    def of(self, values: dict[str, str] | None) -> "WikipediaArticle | None":
        return WikipediaArticle(**values) if values else None

    def replace(self, found: Mapping[int, Mapping[str, tuple[str, str]]], languages: Collection[str]) -> None:
        """Replaces the articles of these movies in these languages. `found` maps movie to language to (title, text)."""
        rows: list[Any] = [
            WikipediaArticle(movie_id=movie, language=language, title=title, text=text)
            for movie, articles in found.items()
            for language, (title, text) in articles.items()
        ]
        for language in languages:
            having = [row.movie_id for row in rows if row.language == language]
            self.filter(movie__in=found, language=language).exclude(movie__in=having).delete()
        unique, columns = ["movie", "language"], ["title", "text"]
        self.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=columns)


class WikipediaArticle(models.Model):
    """The opening paragraphs of a movie's Wikipedia article in one language, shown with attribution.

    Not used to train models.
    """

    LICENCE, LICENCE_URL = "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="articles")
    language = models.CharField(max_length=12, help_text="Of the Wikipedia.")
    title = models.CharField(max_length=300)
    text = models.TextField()

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["movie", "language"]
        constraints = [models.UniqueConstraint(fields=["movie", "language"], name="catalog_wikipediaarticle_unique")]
        verbose_name = "Wikipedia article"

    def __str__(self) -> str:
        return f"{self.language}: {self.title}"

    def get_absolute_url(self) -> str:
        return f"https://{self.language}.wikipedia.org/wiki/{quote(self.title.replace(' ', '_'))}"


class WikidataItem(models.Model):
    """An item that movies refer to, such as a person or a genre. It is fetched once for all movies."""

    qid = models.PositiveIntegerField(primary_key=True)
    main_qid = models.PositiveIntegerField(help_text="The item that it was merged into, or itself.")
    name = models.CharField(max_length=160, blank=True, help_text="Empty if it has none in the site's languages.")
    code = models.CharField(max_length=8, blank=True, help_text="Of a language: ISO 639-1.")
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "Wikidata item"

    def __str__(self) -> str:
        return f"Q{self.qid} {self.name}".strip()
