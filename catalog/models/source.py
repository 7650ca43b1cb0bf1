"""Where a row comes from: decides what may train, what an import may overwrite, and what a purge takes out."""

from django.db import models


class Source(models.TextChoices):
    SITE = "site", "entered on this site"
    MOVIELENS = "movielens", "MovieLens"
    GENERATED = "generated", "generated sample"
    TMDB = "tmdb", "TMDB"
    IMPORTED = "imported", "imported by its owner"
    BULK = "bulk", "brought by the operator"
