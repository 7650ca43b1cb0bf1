"""What models are trained on."""

from django.db import models
from django.utils import timezone


class DatasetSnapshot(models.Model):
    """What a model was trained on: ratings and movies as Parquet, named by their content."""

    content_hash = models.CharField(max_length=64, unique=True)
    folder = models.CharField(max_length=120, help_text="Folder below SNAPSHOT_DIR.")
    n_ratings = models.PositiveIntegerField()
    n_users = models.PositiveIntegerField()
    n_movies = models.PositiveIntegerField()
    first_rated_at = models.DateTimeField(null=True)
    last_rated_at = models.DateTimeField(null=True)
    size_bytes = models.PositiveBigIntegerField()
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    exported_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When retention took the files.")

    class Meta:
        ordering = ["-exported_at", "-id"]

    def __str__(self) -> str:
        return self.content_hash[:12]
