"""Pictures of movies and people on Wikimedia Commons. Only URLs and attribution are stored, not the images."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.metadata import Credit, Person
from catalog.models.movie import Movie
from catalog.providers.commons import LONGEST_ADDRESS, LONGEST_AUTHOR, LONGEST_LICENCE, LONGEST_NAME, CommonsFile

CAST_WITH_PICTURES = 5  # actors per movie, in addition to its directors


class PictureQuerySet(models.QuerySet[Any]):
    def expect_of_movies(self, files: Mapping[int, str]) -> None:
        """Sets the Commons file of each movie, keyed by movie id. An empty name removes the movie's picture."""
        self.filter(movie__in=[movie for movie, file in files.items() if not file]).delete()
        named: list[Any] = [Picture(movie_id=movie, file=file) for movie, file in files.items() if file]
        self.bulk_create(named, update_conflicts=True, unique_fields=["movie"], update_fields=["file", "state"])

    def expect_of_people(self, movies: Collection[int], older_than: datetime) -> None:
        """Marks the pictures of these movies' directors and leading actors as due.

        Pictures looked up since `older_than` are left unchanged.
        """
        people = set(pictured_credits().filter(movie__in=movies).values_list("person", flat=True))
        is_known = ~Q(state__in=(Picture.State.READ, Picture.State.NONE)) | Q(retrieved_at__gte=older_than)
        known = set(self.filter(is_known, person__in=people).values_list("person", flat=True))
        rows: list[Any] = [Picture(person_id=person, state=Picture.State.DUE) for person in sorted(people - known)]
        self.bulk_create(rows, update_conflicts=True, unique_fields=["person"], update_fields=["state"])

    def forget_others(self) -> None:
        """Deletes pictures of people who are no longer a director or leading actor of any movie."""
        self.exclude(person=None).exclude(person__in=pictured_credits().values("person")).delete()

    def store(self, pictures: Sequence[Any]) -> None:
        columns = ["state", "file", "url", "width", "height", "page_url", "author", "licence", "licence_url"]
        self.bulk_update(pictures, [*columns, "retrieved_at"])


class Picture(models.Model):
    """The picture of a movie or a person. The previous file is shown until a new one has been read.

    A row without `url` shows nothing. It records that the sync need not ask again until it is due.
    """

    class State(models.TextChoices):
        DUE = "due", "its item is to be asked for a file"
        NAMED = "named", "its file is to be read"
        READ = "read", "read"
        NONE = "none", "no picture that may be shown"

    movie = models.OneToOneField(Movie, null=True, blank=True, on_delete=models.CASCADE, related_name="picture")
    person = models.OneToOneField(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="picture")
    state = models.CharField(max_length=8, choices=State, default=State.NAMED, db_index=True)
    file = models.CharField(max_length=LONGEST_NAME, blank=True, help_text="The name that the item gives, at Commons.")
    url = models.URLField(max_length=LONGEST_ADDRESS, blank=True, help_text="Of the thumbnail.")
    width = models.PositiveSmallIntegerField(null=True, blank=True)
    height = models.PositiveSmallIntegerField(null=True, blank=True)
    page_url = models.URLField(max_length=LONGEST_ADDRESS, blank=True, help_text="Of the file's page at Commons.")
    author = models.CharField(max_length=LONGEST_AUTHOR, blank=True)
    licence = models.CharField(max_length=LONGEST_LICENCE, blank=True)
    licence_url = models.URLField(max_length=LONGEST_ADDRESS, blank=True)
    retrieved_at = models.DateTimeField(null=True, blank=True, help_text="When it was last looked up.")

    objects = PictureQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(movie__isnull=True, person__isnull=False) | Q(movie__isnull=False, person__isnull=True),
                name="catalog_picture_of_one",
            )
        ]

    def __str__(self) -> str:
        return self.file or f"no picture of {self.movie or self.person}"

    def name(self, file: str) -> None:
        """Sets the file that the Wikidata item refers to. An empty name removes the picture."""
        self.file = file
        self.state = Picture.State.NAMED
        if not file:
            self.show(None)

    def show(self, found: CommonsFile | None) -> None:
        """Stores the file's metadata from Commons, or None if the file must not be shown."""
        shown = found or CommonsFile("", None, None, "", "", "", "")
        for column, value in shown._asdict().items():
            setattr(self, column, value)
        self.state = Picture.State.READ if found else Picture.State.NONE
        self.retrieved_at = timezone.now()


def pictured_credits() -> models.QuerySet[Credit]:
    """Returns credits of people with a picture: directors and leading actors with a Wikidata item."""
    leads = Q(role=Credit.Role.DIRECTOR) | Q(role=Credit.Role.CAST, position__lt=CAST_WITH_PICTURES)
    return Credit.objects.filter(leads, person__wikidata_id__isnull=False)
