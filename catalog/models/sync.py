"""How the catalogue keeps in step with TMDB: runs, what a run has still to do, and what is known of each id."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.job import Job
from catalog.models.movie import Movie


class SyncRun(Job):
    """One sync with TMDB.

    It fails when the token was refused or TMDB is away. One runs at a time; any number of workers may help it. What a
    run has still to do is in its items: a run whose workers were killed is continued, and one that failed is taken up
    by the next of its scope.
    """

    class Scope(models.TextChoices):
        EVERYTHING = "everything", _("everything due")
        CHANGES = "changes", _("changes")
        NEW_RELEASES = "new_releases", _("new releases")
        IDS = "ids", _("chosen ids")

    KIND = "sync"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    scope = models.CharField(max_length=16, choices=Scope)
    counts = models.JSONField(default=dict, help_text="Movies and pages by what became of them.")

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
    """One thing a run has to ask TMDB for: a movie, or a page of a list that names movies and further pages.

    A worker takes it by `leased_until`; the outcome is written in one transaction with what it changed, so after a
    kill nothing is lost and nothing counted twice.
    """

    class Kind(models.TextChoices):
        MOVIE = "movie", "movie"
        CHANGES = "changes", "page of changes"
        DISCOVER = "discover", "page of releases"

    class Outcome(models.TextChoices):
        ADDED = "added", "added"
        UPDATED = "updated", "updated"
        UNCHANGED = "unchanged", "unchanged"
        SKIPPED = "skipped", "left out by policy"
        GONE = "gone", "gone from TMDB"
        MERGED = "merged", "merged into another id"
        REJECTED = "rejected", "rejected"
        FAILED = "failed", "not answered"
        LISTED = "listed", "page read"

    PENDING = "pending"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=40, help_text="TMDB id; or first day, last day and page.")
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    leased_until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "key"], name="catalog_syncitem_unique")]
        indexes = [models.Index(fields=["run", "outcome", "leased_until"], name="catalog_syncitem_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class TMDBRecord(models.Model):
    """What is known of one of TMDB's movies: when it was read, or why it is not in the catalogue."""

    class State(models.TextChoices):
        FETCHED = "fetched", "in the catalogue"
        SKIPPED = "skipped", "left out by policy"
        REJECTED = "rejected", "rejected"
        FAILED = "failed", "not answered"
        GONE = "gone", "gone from TMDB"
        MERGED = "merged", "merged into another id"

    tmdb_id = models.PositiveIntegerField(unique=True)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True, blank=True, related_name="tmdb_records")
    state = models.CharField(max_length=16, choices=State)
    reason = models.CharField(max_length=500, blank=True)
    merged_into = models.PositiveIntegerField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When its content was last read.")
    checked_at = models.DateTimeField(default=timezone.now, help_text="When TMDB was last asked.")

    class Meta:
        ordering = ["-checked_at", "-id"]
        indexes = [
            models.Index(fields=["state", "checked_at"], name="catalog_tmdbrecord_state"),
            models.Index(fields=["fetched_at"], name="catalog_tmdbrecord_fetched_at"),
        ]
        verbose_name = "TMDB record"

    def __str__(self) -> str:
        return f"TMDB {self.tmdb_id}"
