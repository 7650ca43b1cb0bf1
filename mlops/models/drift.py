"""How the latest data differ from those before."""

from django.db import models
from django.utils import timezone


class DriftReport(models.Model):
    """The latest window of ratings and shown lists against what was before."""

    class Status(models.TextChoices):
        OK = "ok", "ok"
        WARN = "warn", "warning"
        ALERT = "alert", "alert"
        INSUFFICIENT_DATA = "insufficient_data", "insufficient data"

    status = models.CharField(max_length=20, choices=Status)
    checks = models.JSONField(help_text="Each check with its figure, thresholds, sample sizes and status.")
    reference_start = models.DateTimeField(null=True, help_text="Begin of what the window is compared to.")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}: {self.status}"
