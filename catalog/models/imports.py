"""Imports of data sets by the operator, and of people's own files by their owners."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.movie import Movie
from catalog.models.rating import RATING_STEPS
from catalog.models.source import Source
from catalog.querysets import UserImportQuerySet


class ImportRun(models.Model):
    """A data set that was brought in; without `finished_at` it is going on, or was cut off and can be run again."""

    source = models.CharField(max_length=16, choices=Source)
    origin = models.CharField(max_length=200, help_text="File or folder, or what was generated.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="Rows by what became of them.")

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source}: {self.origin}"


class UserImport(models.Model):
    """A file that a user uploads to import their own data, from upload to commit.

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

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    format = models.CharField(max_length=16, choices=Format)
    name = models.CharField(max_length=200, help_text="Of the file.")
    content = models.BinaryField(default=b"", help_text="The file until it is read; empty from then on.")
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    n_rows = models.PositiveIntegerField()
    n_read = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="What it brings, or once it is done has brought.")
    created_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = UserImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status__in=("waiting", "reading", "ready")),
                name="catalog_userimport_one_open",
            )
        ]
        indexes = [models.Index(fields=["status", "heartbeat_at"], name="catalog_userimport_status")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.READING)


class ImportRow(models.Model):
    """One row of an uploaded file and the movie it matches; without a movie, `reason` says why."""

    class Kind(models.TextChoices):
        RATED = "rated", "rated"
        WATCHED = "watched", "watched"
        WANTED = "wanted", "on the watchlist"

    user_import = models.ForeignKey(UserImport, on_delete=models.CASCADE, related_name="rows")
    file = models.CharField(max_length=200)
    line = models.PositiveIntegerField(help_text="Of a JSON file: the number of the item.")
    kind = models.CharField(max_length=16, choices=Kind)
    title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    rating = models.FloatField(null=True, choices=[(step, f"{step:g}") for step in RATING_STEPS])
    recorded_at = models.DateTimeField(null=True)
    watched_on = models.DateField(null=True)
    is_rewatch = models.BooleanField(default=False)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["user_import", "movie", "id"], name="catalog_importrow_by_movie")]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"
