"""What people saw, and the histories they bring along from other sites."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.movie import Movie
from catalog.models.rating import RATING_STEPS
from catalog.querysets import HistoryImportQuerySet


class Viewing(models.Model):
    """That somebody saw a movie, on a day or on an unknown one; a day of viewing counts once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="viewings")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    watched_on = models.DateField(null=True, blank=True, help_text="Empty: on an unknown day.")
    is_rewatch = models.BooleanField(default=False)
    noted_at = models.DateTimeField(default=timezone.now, help_text="When it was written down, here or elsewhere.")

    class Meta:
        ordering = [models.F("watched_on").desc(nulls_last=True), "-noted_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "movie", "watched_on"], name="catalog_viewing_unique"),
            models.UniqueConstraint(
                fields=["user", "movie"], condition=Q(watched_on=None), name="catalog_viewing_unknown_day_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.movie_id}"


class HistoryImport(models.Model):
    """A file of one's own history, from upload to commit.

    waiting -> reading -> ready -> done, or -> failed (a bug). What a file cannot be is refused before there is a row.
    Nothing of the user's is changed before `done`; until then they can discard it, and another upload takes its place.
    """

    class Format(models.TextChoices):
        LETTERBOXD = "letterboxd", "Letterboxd"
        IMDB = "imdb", "IMDb"
        TRAKT = "trakt", "Trakt"
        CSV = "csv", "CSV"

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting to be read"
        READING = "reading", "being read"
        READY = "ready", "ready to be imported"
        DONE = "done", "imported"
        FAILED = "failed", "failed"

    OPEN = (Status.WAITING, Status.READING, Status.READY)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="history_imports")
    format = models.CharField(max_length=16, choices=Format)
    name = models.CharField(max_length=200, help_text="Of the file.")
    content = models.BinaryField(default=b"", help_text="The file until it is read; empty from then on.")
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    n_entries = models.PositiveIntegerField()
    n_read = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="What it brings, or once it is done has brought.")
    created_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = HistoryImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status__in=("waiting", "reading", "ready")),
                name="catalog_historyimport_one_open",
            )
        ]
        indexes = [models.Index(fields=["status", "heartbeat_at"], name="catalog_historyimport_status")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.READING)


class HistoryEntry(models.Model):
    """One row of an uploaded history and the movie it means; without a movie `reason` says why."""

    class Kind(models.TextChoices):
        RATED = "rated", "rated"
        WATCHED = "watched", "watched"
        WANTED = "wanted", "on the watchlist"

    history_import = models.ForeignKey(HistoryImport, on_delete=models.CASCADE, related_name="entries")
    file = models.CharField(max_length=200)
    line = models.PositiveIntegerField(help_text="Of a JSON file: the number of the item.")
    kind = models.CharField(max_length=16, choices=Kind)
    title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    rating = models.FloatField(null=True, choices=[(step, f"{step:g}") for step in RATING_STEPS])
    noted_at = models.DateTimeField(null=True)
    watched_on = models.DateField(null=True)
    is_rewatch = models.BooleanField(default=False)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["history_import", "movie", "id"], name="catalog_historyentry_by_movie")]
        verbose_name_plural = "history entries"

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"
