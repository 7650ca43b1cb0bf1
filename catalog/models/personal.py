"""What users keep for themselves or publish: notes, lists of movies, and the public profile."""

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from catalog.models.movie import Movie
from catalog.models.rating import NOTE_LENGTH

KEY_LENGTH = 12  # of 36 characters each: 62 bits, too many to guess
COVERS = 4  # posters that stand for a list
MAX_LISTS = 100  # of one user
MAX_LIST_LENGTH = 1000  # movies
# A letter first: numbers belong to the pages of film people, which share /people/.
PROFILE_NAME = r"^[a-z][a-z0-9_-]{1,29}$"


class Note(models.Model):
    """A user's private note about a movie, seen or not. What they note about one viewing is on the Viewing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notes")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    text = models.TextField(max_length=NOTE_LENGTH)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="catalog_note_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} notes on {self.movie_id}"


def new_key() -> str:
    return get_random_string(KEY_LENGTH, "abcdefghijklmnopqrstuvwxyz0123456789")


class MovieListQuerySet(models.QuerySet[Any]):
    def published(self) -> "MovieListQuerySet":
        """Those that everybody may read: staff can hide all that a user publishes."""
        return self.filter(is_public=True, user__is_active=True).exclude(user__profile__hidden_at__isnull=False)

    def readable_by(self, user: Any) -> "MovieListQuerySet":
        """The user's own, and what others publish."""
        return self.filter(user=user) | self.published() if user.is_authenticated else self.published()

    def holding(self, movie: Movie) -> "MovieListQuerySet":
        """Each with whether it holds the movie, `holds`; by name."""
        items = MovieListItem.objects.filter(movie_list=models.OuterRef("pk"), movie=movie)
        return self.annotate(holds=models.Exists(items)).order_by("name")

    def on_page_of(self, movie: Movie, reader: Any) -> "MovieListQuerySet":
        """Lists with this movie that others publish, their owners named by public profiles, which they must have."""
        named = self.published().filter(user__profile__is_public=True).select_related("user__profile")
        others = named.exclude(user=reader.pk)
        return others.filter(pk__in=MovieListItem.objects.filter(movie=movie).values("movie_list"))

    def with_length(self) -> "MovieListQuerySet":
        """Each with its number of movies, `n_movies`; the one changed last first.

        By a subquery, which databases ask for the rows of a page alone.
        """
        items = MovieListItem.objects.filter(movie_list=models.OuterRef("pk")).order_by().values("movie_list")
        length = models.Subquery(items.annotate(n=models.Count("pk")).values("n"), models.IntegerField())
        return self.annotate(n_movies=Coalesce(length, 0)).order_by("-updated_at", "-id")

    def with_covers(self) -> "MovieListQuerySet":
        """Each with its length and its first movies, `covers`."""
        first = MovieListItem.objects.select_related("movie")[:COVERS]
        return self.with_length().prefetch_related(models.Prefetch("items", first, to_attr="covers"))


class MovieList(models.Model):
    """A user's ordered list of movies. Its address holds a random key, so that a new name breaks no link."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lists")
    key = models.CharField(max_length=KEY_LENGTH, unique=True, default=new_key, editable=False)
    name = models.CharField(max_length=100)
    description = models.TextField(max_length=NOTE_LENGTH, blank=True)
    is_public = models.BooleanField(_("public"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MovieListQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="catalog_movielist_unique")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:list", args=[self.key])


class MovieListItem(models.Model):
    movie_list = models.ForeignKey(MovieList, on_delete=models.CASCADE, related_name="items")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    position = models.PositiveIntegerField()
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["movie_list", "movie"], name="catalog_movielistitem_unique")]

    def __str__(self) -> str:
        return f"{self.movie_list_id} holds {self.movie_id}"


class ProfileQuerySet(models.QuerySet[Any]):
    def published(self) -> "ProfileQuerySet":
        return self.filter(is_public=True, hidden_at=None, user__is_active=True)


class Profile(models.Model):
    """What everybody may see of a user: nothing, until they choose a name and make it public.

    Staff set `hidden_at`; until it is empty again, neither the profile nor the user's public lists are shown.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    name = models.CharField(
        max_length=30,
        unique=True,
        null=True,
        blank=True,
        validators=[RegexValidator(PROFILE_NAME, _("2 to 30 of a-z, 0-9, - and _, the first one a letter."))],
    )
    is_public = models.BooleanField(_("public"), default=False)
    shows_diary = models.BooleanField(default=False)
    hidden_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When staff took down what the user published.")
    )

    objects = ProfileQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or f"profile of {self.user_id}"

    def get_absolute_url(self) -> str:
        return reverse("catalog:profile", args=[self.name])
