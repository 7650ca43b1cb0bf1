from django.db import models


class RequestCount(models.Model):
    """The number of requests in one window of a rate limit. Used when Redis does not count (see `catalog.counter`)."""

    key = models.CharField(max_length=40, primary_key=True)
    count = models.IntegerField()
    ends_at = models.FloatField(help_text="Seconds since 1970, by the database's clock.")

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
