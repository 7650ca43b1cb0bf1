"""Models of the training data: snapshots, user pseudonyms and quarantined rows."""

import secrets

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.models import Source
from mlops.findings import Finding, title

LIVE_SOURCES = frozenset({Source.SITE, Source.IMPORTED, Source.BULK})
PSEUDONYM_BITS = 53  # JSON and JavaScript represent integers of this size exactly


def new_pseudonym() -> int:
    return secrets.randbits(PSEUDONYM_BITS)


class UserPseudonym(models.Model):
    """The random number that identifies a user in snapshots. It is deleted with the account."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="pseudonym"
    )
    number = models.BigIntegerField(unique=True, default=new_pseudonym)

    NOT_EXPORTED = _(
        "The random id that represents you in the training data. The training data contains nothing "
        "else that identifies you."
    )

    def __str__(self) -> str:
        return str(self.number)


class DatasetSnapshot(models.Model):
    """A snapshot of the training data: ratings and movies as Parquet files, identified by their content hash."""

    class Checks(models.TextChoices):
        NONE = "none", _("not checked")
        PASSED = "passed", _("passed")
        FAILED = "failed", _("failed")

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
    check_report = models.JSONField(default=dict, blank=True, help_text="The result of the data checks.")
    pushed_at = models.DateTimeField(null=True, blank=True, help_text="When DVC pushed it to the remote.")
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
    def is_sample(self) -> bool:
        """Returns whether all ratings are sample data. Ratings from an unknown source do not count as sample data."""
        return bool(self.sources) and not LIVE_SOURCES.intersection(self.sources)

    @property
    def problems(self) -> list[Finding]:
        return [Finding.from_dict(row) for row in self.check_report.get("problems", [])]

    @property
    def unavailable_reason(self) -> str:
        """Returns why the files do not exist, or "" if they should exist."""
        if self.withdrawn_at:
            text = gettext("Snapshot {snapshot} was withdrawn on {day}: {reason}")
            return text.format(snapshot=self, day=f"{self.withdrawn_at:%Y-%m-%d}", reason=self.withdrawn_reason)
        if self.removed_at:
            text = gettext("Retention removed the files of snapshot {snapshot} on {day}.")
            return text.format(snapshot=self, day=f"{self.removed_at:%Y-%m-%d}")
        return ""


class QuarantinedRow(models.Model):
    """A row that failed a data check. Models are not trained on it until a person releases it.

    `fingerprint` identifies the content, so the same row in a later snapshot maps to the same entry. A release is valid
    until the content changes.
    """

    class Kind(models.TextChoices):
        RATING = "rating", _("rating")
        MOVIE = "movie", _("movie")

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    content = models.JSONField()
    reasons = models.JSONField(help_text="Codes of the rules that it broke.")
    movie_id = models.BigIntegerField(null=True, db_index=True)
    user = models.ForeignKey(
        UserPseudonym, on_delete=models.CASCADE, null=True, blank=True, related_name="+", to_field="number"
    )
    snapshot = models.ForeignKey(
        DatasetSnapshot,
        on_delete=models.SET_NULL,
        null=True,
        related_name="quarantined",
        help_text="The last one with it.",
    )
    found_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    release_reason = models.TextField(blank=True)

    NOT_EXPORTED = _(
        "Copies of your ratings that a data check excluded from the training data. The ratings "
        "themselves are exported separately."
    )

    class Meta:
        ordering = ["-id"]
        permissions = [("release_quarantinedrow", "Can release rows from quarantine")]

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:12]}"

    @property
    @admin.display(description=_("reason"))
    def why(self) -> str:
        return "; ".join(title(code) for code in self.reasons)
