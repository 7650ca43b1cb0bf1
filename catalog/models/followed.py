"""Sources at other sites that users follow: profiles and files from which new rows are imported regularly."""

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.job import Job
from catalog.models.movie import Movie
from catalog.models.outcomes import add_sentences
from catalog.models.reasons import describe

NAME_LENGTH = 200
TOLD_AFTER = 3  # failures in a row after which the account page mentions a source


class SyncOutcome(TextChoices):
    """How a sync of a followed source ended. Sentences never contain the address, which may hold a secret."""

    FOLLOWED = "follow_done", _("Everything new was imported.")
    UNCHANGED = "follow_unchanged", _("Nothing new.")
    PRIVATE = "follow_private", _("The address does not lead to a public host.")
    REDIRECTED = "follow_redirected", _("The site redirects more than {n} times, or away from https.")
    TOO_LARGE = "follow_too_large", _("The answer is larger than {limit} MB.")
    TOO_SLOW = "follow_too_slow", _("The site did not answer completely within {seconds} seconds.")
    UNREACHABLE = "follow_unreachable", _("The site cannot be reached, or its certificate is not valid.")
    NOT_FOUND = "follow_not_found", _("There is nothing at this address; is the name right?")
    REFUSED = "follow_refused", _("The site refuses access; is the profile private?")
    STATUS = "follow_status", _("The site answered with the error {status}.")
    POSTPONED = "follow_postponed", _("The site asked to come back later.")
    UNREADABLE = "follow_unreadable", _("Its answer cannot be read. {error}")
    UNKNOWN_FORMAT = "follow_unknown_format", _("Its answer is not a file that can be imported.")
    KEY_LOST = "follow_key_lost", _("The address can no longer be decrypted. Add it again.")
    FAILED = "follow_failed", _("This site failed ({error}).")


class FollowedSource(models.Model):
    """A profile or file at another site that a user follows.

    `name` is the user name there, or an address without its query, which may hold a secret. The whole address is stored
    encrypted. A sync imports only rows that are new since the source was added.
    """

    SECRETS = frozenset({"encrypted", "fingerprint"})  # fields excluded from the user's data export

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="followed_sources")
    kind = models.CharField(max_length=16, help_text="Code of one of `following.formats`.")
    name = models.CharField(max_length=NAME_LENGTH)
    encrypted = models.TextField(blank=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    options = models.JSONField(default=dict, help_text="The format of a file, and the owner's answers about its rows.")
    with_existing = models.BooleanField(default=True, help_text="Whether the first sync imports what is there already.")
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    n_failures = models.PositiveSmallIntegerField(default=0, help_text="Failed syncs since the last successful one.")
    created_at = models.DateTimeField(default=timezone.now)
    synced_at = models.DateTimeField(null=True, blank=True, help_text="When it was last read successfully.")
    next_sync_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "fingerprint"], name="catalog_followed_unique")]
        indexes = [models.Index(fields=["next_sync_at"], name="catalog_followed_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_failing(self) -> bool:
        return self.n_failures >= TOLD_AFTER

    @property
    def latest_sync(self) -> "SourceSync | None":
        """The latest sync; of prefetched ones, if there are any."""
        return next(iter(self.syncs.all()), None)


class SourceSync(Job):
    """A job that reads a followed source and imports its new rows."""

    KIND = "following"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    source = models.ForeignKey(FollowedSource, on_delete=models.CASCADE, related_name="syncs")
    counts = models.JSONField(default=dict, help_text="New rows, and what they added and changed.")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"sync {self.pk} of a followed source"


class FollowedRow(models.Model):
    """A row of a followed source that was handled. Its `key` identifies it, so that it is never imported again."""

    class Outcome(models.TextChoices):
        IMPORTED = "imported", _("imported")
        UNMATCHED = "unmatched", _("no movie was found")
        SKIPPED = "skipped", _("not imported")

    source = models.ForeignKey(FollowedSource, on_delete=models.CASCADE, related_name="rows")
    key = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16, choices=Outcome)
    title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    rating = models.FloatField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.SET_NULL, null=True)
    reasons = models.JSONField(default=list, help_text="Why there is no movie, as codes.")
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="catalog_followedrow_unique")]
        indexes = [models.Index(fields=["source", "outcome", "-found_at"], name="catalog_followedrow_latest")]

    def __str__(self) -> str:
        return f"{self.title} ({self.outcome})"

    @property
    @admin.display(description=_("reason"))
    def reason(self) -> str:
        return f"{describe(self.reasons)}." if self.reasons else ""


add_sentences(dict(SyncOutcome.choices))
