"""Users and their ratings, watchlists and viewings."""

import secrets
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalog.models.movie import Movie
from catalog.models.querysets import RatingQuerySet, UserManager
from catalog.models.source import Source
from catalog.text import skeleton

CLOCK_TOLERANCE = timedelta(days=1)  # how far ahead the clocks of other computers may be
NOTE_LENGTH = 2000  # characters
MAX_SERVICES = 30  # streaming services per user
SKELETON_LENGTH = 150  # characters; names that differ only after them are not compared
RATING_STEPS = [half / 2 for half in range(1, 11)]  # 0.5, 1.0 ... 5.0


class User(AbstractUser):
    """A user. Users of a data set (MovieLens, generated) have ratings but cannot sign in."""

    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)
    external_id = models.CharField(max_length=64, blank=True, help_text="Id of the user in its source.")

    skeleton = models.CharField(
        max_length=SKELETON_LENGTH, blank=True, editable=False, help_text="What the name looks like (text.skeleton)."
    )
    session_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Sessions of an earlier one have ended."
    )

    watch_services = models.CharField(
        max_length=400, blank=True, default="", db_default="", editable=False, help_text="Ids, separated by commas."
    )
    only_my_services = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether the user's list has only what these stream."
    )

    objects = UserManager()  # type: ignore[misc]  # overrides the manager of AbstractUser

    class Meta(AbstractUser.Meta):
        indexes = [
            models.Index(fields=["email"], name="catalog_user_by_email"),
            models.Index(fields=["skeleton"], name="catalog_user_by_skeleton"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="catalog_user_unique_external_id",
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the user. A new password revokes the account's API keys, as Django ends its sessions."""
        changes_password = self._password is not None and not self._state.adding
        if self._state.adding:
            self.note_skeleton()
        super().save(*args, **kwargs)
        if changes_password:
            self.revoke_keys()

    @property
    def service_ids(self) -> list[int]:
        """Ids of the user's streaming services."""
        return [int(pk) for pk in self.watch_services.split(",") if pk]

    def note_skeleton(self) -> None:
        """Sets the skeleton of the name. Call it after the name changes."""
        self.skeleton = skeleton(self.username)[:SKELETON_LENGTH]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return f"{super()._get_session_auth_hash(secret)}{self.session_epoch or ''}"  # type: ignore[misc]

    def end_access(self) -> None:
        """Ends every session and revokes every API key of the account.

        To keep the current session, call Django's `update_session_auth_hash`.
        """
        type(self).objects.filter(pk=self.pk).update(session_epoch=F("session_epoch") + 1)
        self.refresh_from_db(fields=["session_epoch"])
        self.revoke_keys()

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password = ""  # lets `save` detect the new password

    def revoke_keys(self) -> int:
        """Revokes all API keys of the account in every process. Returns their number."""
        return int(self.api_keys.all().delete()[0])

    @classmethod
    def without_login(cls, source: Source, external_id: str) -> Self:
        """Returns a new, unsaved user of a data set, named after the data set and the user's id in it.

        Sets the same kind of password as `make_password(None)`, but faster.
        """
        password = UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)
        return cls(username=f"{source.value}-{external_id}", source=source, external_id=external_id, password=password)


class Rating(models.Model):
    """A user's rating of a movie in half stars. Each user has one row per movie, with the latest rating."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="ratings")
    rating = models.FloatField(choices=[(step, f"{step:g}") for step in RATING_STEPS])
    rated_at = models.DateTimeField()
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ["-rated_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="catalog_rating_unique"),
            models.CheckConstraint(condition=Q(rating__in=RATING_STEPS), name="catalog_rating_in_half_stars"),
        ]
        indexes = [
            models.Index(fields=["user", "-rated_at"], name="catalog_rating_by_user"),
            models.Index(fields=["rated_at"], name="catalog_rating_rated_at"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} rates {self.movie_id}: {self.rating:g}"


class WatchlistItem(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watchlist")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-added_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="catalog_watchlistitem_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} wants to see {self.movie_id}"


class Viewing(models.Model):
    """A user's viewing of a movie, on a known or unknown day. There is at most one per day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="viewings")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    watched_on = models.DateField(null=True, blank=True, help_text="Empty if the day is unknown.")
    is_rewatch = models.BooleanField(default=False)
    note = models.TextField(max_length=NOTE_LENGTH, blank=True, help_text="Only its user reads it.")
    recorded_at = models.DateTimeField(default=timezone.now, help_text="When it was recorded, here or elsewhere.")

    class Meta:
        ordering = [models.F("watched_on").desc(nulls_last=True), "-recorded_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "movie", "watched_on"], name="catalog_viewing_unique"),
            models.UniqueConstraint(
                fields=["user", "movie"], condition=Q(watched_on=None), name="catalog_viewing_unknown_day_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.movie_id}"
