"""What models are trained on."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

SURROGATE_BITS = 53  # whole numbers that JSON and JavaScript keep exactly


def new_surrogate() -> int:
    return secrets.randbits(SURROGATE_BITS)


class UserSurrogate(models.Model):
    """The number that stands for a user in snapshots; with the account it goes, and the way back to a person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="surrogate"
    )
    number = models.BigIntegerField(unique=True, default=new_surrogate)

    def __str__(self) -> str:
        return str(self.number)


class DatasetSnapshot(models.Model):
    """What a model was trained on: ratings and movies as Parquet, named by their content."""

    class Checks(models.TextChoices):
        NONE = "none", "not checked"
        PASSED = "passed", "passed"
        FAILED = "failed", "failed"

    content_hash = models.CharField(max_length=64, unique=True)
    folder = models.CharField(max_length=120, help_text="Folder below SNAPSHOT_DIR.")
    n_ratings = models.PositiveIntegerField()
    n_users = models.PositiveIntegerField()
    n_movies = models.PositiveIntegerField()
    first_rated_at = models.DateTimeField(null=True)
    last_rated_at = models.DateTimeField(null=True)
    size_bytes = models.PositiveBigIntegerField()
    sources = models.JSONField(default=list, help_text="Where its ratings and metadata came from.")
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    exported_at = models.DateTimeField(default=timezone.now)
    checks = models.CharField(max_length=8, choices=Checks, default=Checks.NONE)
    check_report = models.JSONField(default=dict, blank=True, help_text="What the data checks found.")
    pushed_at = models.DateTimeField(null=True, blank=True, help_text="When DVC had brought it to the remote.")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When its files were removed.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-exported_at", "-id"]
        permissions = [("withdraw_datasetsnapshot", "Can withdraw snapshots, and with them their files")]

    def __str__(self) -> str:
        return self.content_hash[:12]

    @property
    def absence(self) -> str:
        """Why its files are not there, in a sentence; empty where they should be."""
        if self.withdrawn_at:
            return f"Snapshot {self} was withdrawn on {self.withdrawn_at:%Y-%m-%d}: {self.withdrawn_reason}"
        if self.removed_at:
            return f"The files of snapshot {self} were removed by retention on {self.removed_at:%Y-%m-%d}."
        return ""


class QuarantinedRow(models.Model):
    """A row that broke a rule of the data checks: no model learns from it until a person releases it.

    `fingerprint` is that of its content, so that the same row of a later snapshot is the same row here, and a
    release holds until the content changes.
    """

    class Kind(models.TextChoices):
        RATING = "rating", "rating"
        MOVIE = "movie", "movie"

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    content = models.JSONField()
    reasons = models.JSONField(help_text="The rules that it broke.")
    movie_id = models.BigIntegerField(null=True, db_index=True)
    user = models.ForeignKey(
        UserSurrogate, on_delete=models.CASCADE, null=True, blank=True, related_name="+", to_field="number"
    )
    snapshot = models.ForeignKey(
        DatasetSnapshot, on_delete=models.SET_NULL, null=True, related_name="quarantined", help_text="The last with it."
    )
    found_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    release_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("release_quarantinedrow", "Can release rows from quarantine")]

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:12]}"
