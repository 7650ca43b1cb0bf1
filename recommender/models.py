"""The served model, its serving stats, the shown lists and users' feedback."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.models import Movie


class ServedModel(models.Model):
    """A pointer to the artefact that web processes serve. Only `services.activate` writes it."""

    class Slot(models.TextChoices):
        CHAMPION = "champion", "champion"
        PREVIOUS = "previous", "previous champion"

    slot = models.CharField(max_length=16, choices=Slot, unique=True)
    version = models.PositiveIntegerField()
    algorithm = models.CharField(max_length=32)
    artifact = models.CharField(max_length=200, help_text="Folder of the artefact, below MODEL_DIR.")
    checksum = models.CharField(max_length=64, blank=True, help_text="Of the artefact; empty: any is served.")
    activated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.slot}: {self.version}"

    @classmethod
    def champion(cls) -> "ServedModel | None":
        return cls._default_manager.filter(slot=cls.Slot.CHAMPION).first()


class ServingStatsMinute(models.Model):
    """Counts of one model's lists in one minute and one web process. Sum over all processes."""

    process = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    minute = models.DateTimeField()
    n_served = models.PositiveIntegerField()
    n_failed = models.PositiveIntegerField(help_text="Failures to make a list or to load the model.")
    latency_histogram = models.JSONField(help_text="Lists by latency, in the buckets of recommender.serving.stats.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "minute", "process"], name="recommender_stats_unique")
        ]
        indexes = [models.Index(fields=["minute"], name="recommender_stats_minute")]

    def __str__(self) -> str:
        return f"version {self.version} at {self.minute:%H:%M}: {self.n_served}, {self.n_failed} failed"


class Impression(models.Model):
    """A list that was shown. `items` contains `[movie id, rank, source]`, sorted by rank."""

    request_id = models.UUIDField(unique=True, default=uuid.uuid4)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="impressions"
    )
    surface = models.CharField(max_length=32, help_text="Where it was shown: page or endpoint.")
    model_version = models.PositiveIntegerField(null=True, blank=True)
    fallback = models.CharField(max_length=16, blank=True, help_text="Fallback that made the list, if any.")
    items = models.JSONField()
    shown_at = models.DateTimeField()

    class Meta:
        ordering = ["-shown_at", "-id"]
        indexes = [
            models.Index(fields=["-shown_at", "-id"], name="recommender_imp_shown_at"),
            models.Index(fields=["user", "-shown_at"], name="recommender_imp_by_user"),
        ]

    def __str__(self) -> str:
        return str(self.request_id)


class Feedback(models.Model):
    """What a user did with a recommended movie. Rows are never changed."""

    class Kind(models.TextChoices):
        CLICK = "click", "clicked"
        NOT_INTERESTED = "not_interested", "not interested"
        UNDO = "undo", "undone"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feedback")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    kind = models.CharField(max_length=16, choices=Kind)
    request_id = models.UUIDField(null=True, blank=True, help_text="The list it was about.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "feedback"
        indexes = [
            models.Index(fields=["request_id"], name="recommender_fb_by_request"),
            models.Index(fields=["-created_at", "-id"], name="recommender_fb_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.kind} {self.movie_id}"


class Dismissal(models.Model):
    """A movie that a user does not want to be recommended. The feedback `undo` deletes the row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="dismissals")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="recommender_dismissal_unique")]
        permissions = [("recommend_for_others", "Can ask for the recommendations of any user")]

    def __str__(self) -> str:
        return f"{self.user_id} dismisses {self.movie_id}"


class TasteConsent(models.Model):
    """A user's consent to lists made together with others. Without it, others' lists do not use the user's ratings."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taste_consent")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user_id} lets others make lists with them"
