"""Syncs with TMDB: runs, their work items, and a record for each TMDB id."""

from django.contrib import admin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.job import Job
from catalog.models.movie import Movie
from catalog.models.reasons import describe


class SyncRun(Job):
    """One sync with TMDB.

    It fails if TMDB rejects the token or is unavailable. One run is active at a time, with any number of workers. Its
    pending items are the remaining work. If its workers are killed, the run continues with these items. If it failed,
    the next run of the same scope continues with them.
    """

    class Scope(models.TextChoices):
        EVERYTHING = "everything", _("everything due")
        CHANGES = "changes", _("changes")
        NEW_RELEASES = "new_releases", _("new releases")
        IDS = "ids", _("selected ids")

    KIND = "sync"
    EXCLUSIVE = "TMDB"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    scope = models.CharField(max_length=16, choices=Scope)
    counts = models.JSONField(default=dict, help_text="Movies and pages by outcome.")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"sync {self.pk}"

    @property
    def n_done(self) -> int:
        return sum(n for outcome, n in self.counts.items() if outcome != SyncItem.PENDING)

    @property
    def n_items(self) -> int:
        return sum(self.counts.values())


class SyncItem(models.Model):
    """One request to TMDB: a movie, or a page of a list that leads to movies and further pages.

    A worker leases it until `leased_until`. The outcome is written in the same transaction as the changes, so that a
    killed worker loses nothing and nothing is counted twice.
    """

    class Kind(models.TextChoices):
        MOVIE = "movie", "movie"
        CHANGES = "changes", "page of changes"
        DISCOVER = "discover", "page of releases"

    class Outcome(models.TextChoices):
        ADDED = "added", "added"
        UPDATED = "updated", "updated"
        UNCHANGED = "unchanged", "unchanged"
        SKIPPED = "skipped", "skipped by policy"
        GONE = "gone", "gone from TMDB"
        MERGED = "merged", "merged into another id"
        REJECTED = "rejected", "rejected"
        FAILED = "failed", "failed"
        LISTED = "listed", "page read"

    PENDING = "pending"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=40, help_text="TMDB id, or first day, last day and page.")
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    leased_until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "key"], name="catalog_syncitem_unique")]
        indexes = [models.Index(fields=["run", "outcome", "leased_until"], name="catalog_syncitem_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class TMDBRecord(models.Model):
    """The state of one TMDB id: when it was last fetched, or why it is not in the catalogue."""

    class State(models.TextChoices):
        FETCHED = "fetched", "in the catalogue"
        SKIPPED = "skipped", "skipped by policy"
        REJECTED = "rejected", "rejected"
        FAILED = "failed", "failed"
        GONE = "gone", "gone from TMDB"
        MERGED = "merged", "merged into another id"

    tmdb_id = models.PositiveIntegerField(unique=True)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True, blank=True, related_name="tmdb_records")
    state = models.CharField(max_length=16, choices=State)
    reasons = models.JSONField(default=list, blank=True, help_text="Why it is not in the catalogue, as codes.")
    merged_into = models.PositiveIntegerField(null=True, blank=True)
    region = models.CharField(max_length=2, blank=True, help_text="Where it says the movie can be watched.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the content was last read.")
    checked_at = models.DateTimeField(default=timezone.now, help_text="When TMDB was last queried.")

    class Meta:
        ordering = ["-checked_at", "-id"]
        indexes = [
            models.Index(fields=["state", "checked_at"], name="catalog_tmdbrecord_state"),
            models.Index(fields=["fetched_at"], name="catalog_tmdbrecord_fetched_at"),
        ]
        verbose_name = "TMDB record"

    def __str__(self) -> str:
        return f"TMDB {self.tmdb_id}"

    @property
    @admin.display(description=_("reason"))
    def reason(self) -> str:
        """Returns why the movie is not in the catalogue, or why some of its details were ignored."""
        return describe(self.reasons)
