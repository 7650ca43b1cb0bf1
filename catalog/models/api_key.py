"""API keys, which let programs act on behalf of a user, and their scopes."""

import secrets
from hashlib import sha256

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MARK = "mrk_"  # prefix of every key, so that secret scanners recognise a leaked one
NAME_LENGTH = 60
PREFIX_LENGTH = 10  # stored characters that identify a key to its owner; six of them are random


class Scope(models.TextChoices):
    """A permission of an API key. The account must have the permission too."""

    READ = "read", _("Read movies, recommendations and your own data")
    RATE = "rate", _("Rate movies and change your watchlist, diary, lists and imports")
    SERVICE = "service", _("Get recommendations for other users")
    BULK = "bulk", _("Add and change movies, users and ratings in bulk")
    MODELS = "models", _("Train, promote and roll back models")
    METRICS = "metrics", _("Read the site's metrics")
    FEEDS = "feeds", _("Read the owner's feeds, as part of the feed address")


# feed keys appear in URLs, so they get no other scope
ON_REQUEST = tuple(scope for scope in Scope if scope is not Scope.FEEDS)


class APIKey(models.Model):
    """An API key of a user. Only its hash is stored. The key itself is shown once.

    A key has 256 random bits and cannot be guessed, so a fast hash such as SHA-256 is sufficient.
    """

    SECRETS = frozenset({"hash"})  # fields excluded from the user's data export

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=NAME_LENGTH, help_text=_("What the key is for."))
    hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    scopes = models.CharField(max_length=60, help_text=_("Space-separated scopes."))
    is_from_sign_in = models.BooleanField(
        default=False, help_text=_("Created by POST token/ from a username and password.")
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text=_("Accurate to the minute."))

    class Meta:
        verbose_name = _("API key")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def scope_list(self) -> list[str]:
        return self.scopes.split()

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


def new_key() -> str:
    return MARK + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    return sha256(key.encode(errors="replace")).hexdigest()
