"""The source of a row. It determines what may train a model, what imports may overwrite and what a purge removes."""

from django.db import models


class Source(models.TextChoices):
    SITE = "site", "entered on this site"
    MOVIELENS = "movielens", "MovieLens"
    GENERATED = "generated", "generated sample"
    TMDB = "tmdb", "TMDB"
    WIKIDATA = "wikidata", "Wikidata"
    IMPORTED = "imported", "imported by its owner"
    BULK = "bulk", "sent by the operator"


PROVIDERS = (Source.TMDB, Source.WIKIDATA)  # sites whose metadata is synced, and can be purged as a whole
