"""Imports: data sets loaded by the operator, and files uploaded by users."""

from datetime import datetime

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.job import Job
from catalog.models.match_choice import Matched
from catalog.models.personal import LIST_NAME_LENGTH
from catalog.models.querysets import UserImportQuerySet
from catalog.models.rating import NOTE_LENGTH, RATING_STEPS
from catalog.models.reasons import describe
from catalog.models.source import Source


class ImportRun(models.Model):
    """An imported data set. `finished_at` is empty while it is running, or if it was interrupted."""

    source = models.CharField(max_length=16, choices=Source)
    origin = models.CharField(max_length=200, help_text="File or folder name, or parameters of a generated data set.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="Rows by outcome.")

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source}: {self.origin}"


class SampleLoad(Job):
    """A job that loads the sample data, requested by the first staff account."""

    KIND = "sample"
    EXCLUSIVE = "sample"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"sample {self.pk}"


class UserImport(Job):
    """A file that a user uploaded to import their own data. A job parses it; then its owner commits the import or not.

    waiting -> reading -> ready -> done, or -> failed. A file in the wrong format is rejected before a row is created.
    No data changes before `done`. Until then the user can discard the import, and another upload replaces it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting to be read")
        READING = "reading", _("being read")
        READY = "ready", _("ready to be imported")
        DONE = "done", _("imported")
        FAILED = "failed", _("failed")

    KIND = "import"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    format = models.CharField(max_length=16, help_text="Code of one of `imports.formats`.")
    name = models.CharField(max_length=200, help_text="File name.")
    content = models.BinaryField(default=b"", help_text="The file, until it has been read and nothing is asked.")
    n_rows = models.PositiveIntegerField()
    counts = models.JSONField(default=dict, help_text="What the import adds and changes, or has added and changed.")
    report = models.JSONField(default=dict, help_text="What each file and column was taken for, and open questions.")
    answers = models.JSONField(default=dict, help_text="The owner's answers to questions about the file.")
    committed_at = models.DateTimeField(null=True, blank=True, help_text="When the owner committed the import.")

    objects = UserImportQuerySet.as_manager()  # type: ignore[misc]  # overrides the manager of Job

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    @admin.display(description=_("state"))
    def state(self) -> str:
        if self.committed_at:
            return self.State.DONE
        if self.status == self.Status.SUCCEEDED:
            return self.State.READY
        if self.status == self.Status.RUNNING:
            return self.State.READING
        is_waiting = self.status == self.Status.QUEUED or self.retry_at
        return self.State.WAITING if is_waiting else self.State.FAILED

    @property
    def n_read(self) -> int:
        return round(self.n_rows * (self.share or 0))

    @property
    def closed_at(self) -> datetime | None:
        return self.committed_at or (self.ended_at if self.state == self.State.FAILED else None)

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.WAITING, self.State.READING)


class ColumnMapping(models.Model):
    """What a user said about the columns of a CSV file, for later files with the same header."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="column_mappings")
    header = models.CharField(max_length=64, help_text="SHA-256 of the column names.")
    columns = models.JSONField(help_text="The meaning of each column.")
    confirmed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "header"], name="catalog_columnmapping_unique")]

    def __str__(self) -> str:
        return f"{len(self.columns)} columns of {self.user_id}"


class ImportRow(Matched):
    """One row of an uploaded file and the movie it matches. If there is no match, `reasons` explain why.

    Only rows of the first four kinds can be imported.
    """

    class Kind(models.TextChoices):
        RATED = "rated", "rated"
        WATCHED = "watched", "watched"
        WANTED = "wanted", "on the watchlist"
        LISTED = "listed", "in a list"
        NOTHING = "nothing", _("says nothing")
        UNREADABLE = "unreadable", _("not readable")

    IMPORTED = (Kind.RATED, Kind.WATCHED, Kind.WANTED, Kind.LISTED)

    user_import = models.ForeignKey(UserImport, on_delete=models.CASCADE, related_name="rows")
    file = models.CharField(max_length=200)
    line = models.PositiveIntegerField(help_text="In a JSON file, the number of the item.")
    kind = models.CharField(max_length=16, choices=Kind)
    rating = models.FloatField(null=True, choices=[(step, f"{step:g}") for step in RATING_STEPS])
    recorded_at = models.DateTimeField(null=True)
    watched_on = models.DateField(null=True)
    is_rewatch = models.BooleanField(default=False)
    review = models.TextField(max_length=NOTE_LENGTH, blank=True, db_default="", help_text="Becomes a note.")
    list_name = models.CharField(max_length=LIST_NAME_LENGTH, blank=True, db_default="", help_text="Of kind `listed`.")
    ignored = models.JSONField(default=list, help_text="Details that were ignored, as codes.")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["user_import", "movie", "id"], name="catalog_importrow_by_movie")]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"

    @property
    def is_matchable(self) -> bool:
        """Whether its owner can choose a movie for it."""
        return self.kind in self.IMPORTED and (self.movie_id is None or bool(self.choice)) and not self.is_not_a_movie

    @property
    def note(self) -> str:
        return describe(self.ignored)
