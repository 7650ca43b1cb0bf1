from django.db import models

from catalog.models.source import Source


class ImportRun(models.Model):
    """A data set that was brought in; without `finished_at` it is going on, or was cut off and can be run again."""

    source = models.CharField(max_length=16, choices=Source)
    origin = models.CharField(max_length=200, help_text="File or folder, or what was generated.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="Rows by what became of them.")

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source}: {self.origin}"
