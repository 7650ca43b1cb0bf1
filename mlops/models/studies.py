"""What was found out about the champion's recipe and about what the site depends on, for people and for checks."""

from django.db import models
from django.utils import timezone

from .versions import ModelVersion


class Backtest(models.Model):
    """The champion's recipe on later data once more: without one kind of features, or made of older data."""

    class Kind(models.TextChoices):
        FEATURES = "features", "without one kind of features"
        STALENESS = "staleness", "made of older data"

    kind = models.CharField(max_length=16, choices=Kind)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="backtests")
    figures = models.JSONField(help_text="Each model that was judged, with how much less it is worth.")
    passed = models.BooleanField()
    sentence = models.TextField(help_text="What was found.")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backtest {self.pk} ({self.get_kind_display()})"


class Dependency(models.Model):
    """Something outside that the site relies on, as it was seen last; a change is told by an alert."""

    name = models.CharField(max_length=60, unique=True)
    state = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "dependencies"

    def __str__(self) -> str:
        return self.name
