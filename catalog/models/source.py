"""Where a row comes from. Decides what may train a model, what an import may overwrite and what a purge removes."""

from django.db import models


class Source(models.TextChoices):
    SITE = "site", "entered on this site"
    MOVIELENS = "movielens", "MovieLens"
    GENERATED = "generated", "generated sample"
    TMDB = "tmdb", "TMDB"
    WIKIDATA = "wikidata", "Wikidata"
    IMPORTED = "imported", "imported by its owner"
    BULK = "bulk", "sent by the operator"


PROVIDERS = (Source.TMDB, Source.WIKIDATA)  # metadata of other sites, read and purged as a whole
