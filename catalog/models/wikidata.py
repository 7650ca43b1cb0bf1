"""Syncs with Wikidata: runs, the item of each movie, and names of the items that movies refer to."""

from django.db import models
from django.utils import timezone

from catalog.models.job import Job
from catalog.models.movie import Movie


class WikidataRun(Job):
    """One sync with Wikidata, by one worker. What is due stands in the records: a run that is cut off loses nothing."""

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
    """The item of a movie, and when it was last read."""

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


class WikidataItem(models.Model):
    """An item that movies refer to, such as a person or a genre: asked for once, not for each movie."""

    qid = models.PositiveIntegerField(primary_key=True)
    main_qid = models.PositiveIntegerField(help_text="The item that it was merged into, or itself.")
    name = models.CharField(max_length=160, blank=True, help_text="Empty if it has none in the site's languages.")
    code = models.CharField(max_length=8, blank=True, help_text="Of a language: ISO 639-1.")
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "Wikidata item"

    def __str__(self) -> str:
        return f"Q{self.qid} {self.name}".strip()
