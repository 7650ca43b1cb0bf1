"""Where a row comes from. Decides what may train a model, what an import may overwrite and what a purge removes."""

from django.db import models


class Source(models.TextChoices):
    SITE = "site", "entered on this site"
    MOVIELENS = "movielens", "MovieLens"
    GENERATED = "generated", "generated sample"
    TMDB = "tmdb", "TMDB"
    IMPORTED = "imported", "imported by its owner"
    BULK = "bulk", "sent by the operator"
