"""Invitations, which allow sign-ups on a closed site, and sign-ups that await confirmation by e-mail."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAYS = 14  # validity of an invitation
CODE_BYTES = 24  # long and random, so a fast hash is sufficient


def new_code() -> str:
    return secrets.token_urlsafe(CODE_BYTES)


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self, code: str) -> "InvitationQuerySet":
        return self.filter(code_hash=hash_of(code), used_at=None, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A link that creates one account. Only a hash of its code is stored."""

    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(
        max_length=100,
        blank=True,
        help_text=_("Who the invitation is for. Visible only to staff, and deleted once the invitation is used."),
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
        """Returns the sign-up to which this link key belongs, if the link is still valid."""
        return self.usable().filter(key_hash=hash_of(key))


class PendingSignUp(models.Model):
    """An account to be created once its e-mail address is confirmed. It does not reserve its username.

    Each sign-up has its own link. A later sign-up with the same address does not change this one's password. Only a
    hash of the link's key is stored.
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
