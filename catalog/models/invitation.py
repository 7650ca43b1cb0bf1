"""Invitations: how people get an account where sign-up is not open."""

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
