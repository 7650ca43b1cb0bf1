"""Invitations, by which people get an account where sign-up is not open, and sign-ups that wait for their address."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAYS = 14  # how long an invitation can be used
CODE_BYTES = 24  # random, so that a plain hash of it is enough


def new_code() -> str:
    return secrets.token_urlsafe(CODE_BYTES)


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, code: str) -> "InvitationQuerySet":
        return self.filter(code_hash=hash_of(code), used_at=None, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A link that makes one account. Its code is not kept, only a hash of it."""

    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(
        max_length=100, blank=True, help_text=_("Whom it is for. Only staff see it, until the invitation is used.")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    used_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"


class PendingSignUpQuerySet(models.QuerySet["PendingSignUp"]):
    def usable(self) -> "PendingSignUpQuerySet":
        return self.filter(expires_at__gt=timezone.now())

    def behind(self, key: str) -> "PendingSignUpQuerySet":
        """That of a link, if it still works."""
        return self.usable().filter(key_hash=hash_of(key))


class PendingSignUp(models.Model):
    """An account that will be made when its address is confirmed. It takes no name, and several may want one.

    Each has a link of its own: a later sign-up with the same address does not change the password of this one. The key
    of the link is not kept, only a hash of it.
    """

    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    username = models.CharField(max_length=150)
    email = models.EmailField(db_index=True)
    password = models.CharField(max_length=128, editable=False, help_text="As that of an account: hashed.")
    invitation = models.ForeignKey(Invitation, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = PendingSignUpQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"sign-up {self.pk}"
