"""A user's secret webhook URL for media servers, and the events received there."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.api_key import PREFIX_LENGTH
from catalog.models.match_choice import Matched

MARK = "mrh_"  # prefix of every secret, so that logs can mask it and secret scanners recognise it
NAMES_LENGTH = 200


class Hook(models.Model):
    """A secret webhook URL for the owner's media servers.

    Only the hash of the secret is stored. The secret itself is shown once. It is as random as an API key, so a fast
    hash is sufficient.
    """

    SECRETS = frozenset({"hash"})  # fields excluded from the user's data export

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hook")
    hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    names = models.CharField(
        max_length=NAMES_LENGTH, help_text=_("The owner's names in media servers, separated by commas.")
    )
    created_at = models.DateTimeField(default=timezone.now)
    foreign_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When an event of another person was last refused.")
    )

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user_id}"

    def is_of_owner(self, account: str) -> bool:
        """Returns whether the media server's account belongs to the owner."""
        return account.strip().casefold() in {name.strip().casefold() for name in self.names.split(",")}


class HookEvent(Matched):
    """An event from a media server about a movie, with its outcome. Consecutive identical events share one row."""

    class Kind(models.TextChoices):
        WATCHED = "watched", _("watched")
        SEEN = "seen", _("marked as watched")
        RATED = "rated", _("rated")

    class Outcome(models.TextChoices):
        ADDED = "added", _("It is in your diary.")
        KNOWN = "known", _("It was known already.")
        RATED = "rated", _("Your rating is recorded.")
        KEPT = "kept", _("You rated it later on this site; that rating stays.")
        UNMATCHED = "unmatched", _("No movie was found.")

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="events")
    service = models.CharField(max_length=16, help_text="Code of one of `hooks.formats`.")
    kind = models.CharField(max_length=16, choices=Kind)
    rating = models.FloatField(null=True)
    watched_on = models.DateField(null=True, help_text="The day in the server's time zone.")
    outcome = models.CharField(max_length=16, choices=Outcome)
    happened_at = models.DateTimeField(help_text="As the server says, or when the event came in.")
    received_at = models.DateTimeField(default=timezone.now, help_text="When it came in last.")
    times = models.PositiveIntegerField(default=1, help_text="How often it came in.")

    class Meta:
        ordering = ["-received_at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title or self.movie_id}"

    @property
    def is_matchable(self) -> bool:
        """Whether its owner can choose a movie for it."""
        return self.outcome == self.Outcome.UNMATCHED and not self.is_not_a_movie


def new_secret() -> str:
    return MARK + secrets.token_urlsafe(32)
