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
