import secrets
from typing import Self

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser
from django.db import models

from catalog.models.source import Source


class User(AbstractUser):
    """A person who rates. Users of a data set (MovieLens, generated) have ratings but cannot sign in."""

    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)
    external_id = models.CharField(max_length=64, blank=True, help_text="Id of the user in its source.")

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~models.Q(external_id=""),
                name="catalog_user_unique_external_id",
            )
        ]

    @classmethod
    def without_login(cls, source: Source, external_id: str) -> Self:
        """A new user of a data set, not saved yet, named after both.

        The password is as from `make_password(None)`, without its forty random calls.
        """
        password = UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)
        return cls(username=f"{source.value}-{external_id}", source=source, external_id=external_id, password=password)
