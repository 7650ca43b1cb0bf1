"""Data that users write or publish: notes, lists of movies and public profiles."""

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

KEY_LENGTH = 12  # from 36 possible characters: 62 bits, too many to guess
COVERS = 4  # posters shown as the cover of a list
LIST_NAME_LENGTH = 100
MAX_LISTS = 100  # per user
MAX_LIST_LENGTH = 1000  # movies
# Must start with a letter, because /people/<number> is the page of a film person.
PROFILE_NAME = r"^[a-z][a-z0-9_-]{1,29}$"


class Note(models.Model):
    """A user's private note about a movie. Notes about one viewing are stored on the Viewing."""

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
        """Returns lists that everyone may read. Staff can hide everything that a user has published."""
        return self.filter(is_public=True, user__is_active=True).exclude(user__profile__hidden_at__isnull=False)

    def readable_by(self, user: Any) -> "MovieListQuerySet":
        """Returns the user's own lists and all published ones."""
        return self.filter(user=user) | self.published() if user.is_authenticated else self.published()

    def holding(self, movie: Movie) -> "MovieListQuerySet":
        """Annotates each list with `holds`, whether it contains the movie. Sorts by name."""
        items = MovieListItem.objects.filter(movie_list=models.OuterRef("pk"), movie=movie)
        return self.annotate(holds=models.Exists(items)).order_by("name")

    def on_page_of(self, movie: Movie, reader: Any) -> "MovieListQuerySet":
        """Returns other users' public lists that contain the movie, by owners with a public profile."""
        named = self.published().filter(user__profile__is_public=True).select_related("user__profile")
        others = named.exclude(user=reader.pk)
        return others.filter(pk__in=MovieListItem.objects.filter(movie=movie).values("movie_list"))

    def with_length(self) -> "MovieListQuerySet":
        """Annotates each list with `n_movies`, its number of movies. Sorts by last change, latest first.

        Uses a subquery, so that the database counts only the lists on the requested page.
        """
        items = MovieListItem.objects.filter(movie_list=models.OuterRef("pk")).order_by().values("movie_list")
        length = models.Subquery(items.annotate(n=models.Count("pk")).values("n"), models.IntegerField())
        return self.annotate(n_movies=Coalesce(length, 0)).order_by("-updated_at", "-id")

    def with_covers(self) -> "MovieListQuerySet":
        """Annotates lists with `n_movies` and `covers`, their first movies."""
        first = MovieListItem.objects.select_related("movie")[:COVERS]
        return self.with_length().prefetch_related(models.Prefetch("items", first, to_attr="covers"))


class MovieList(models.Model):
    """A user's ordered list of movies. Its URL contains a random key, so that it survives a new name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lists")
    key = models.CharField(max_length=KEY_LENGTH, unique=True, default=new_key, editable=False)
    name = models.CharField(max_length=LIST_NAME_LENGTH)
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
    """The public profile of a user. Nothing is visible until they choose a name and publish it.

    While `hidden_at` is set by staff, neither the profile nor the user's public lists are shown.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    name = models.CharField(
        max_length=30,
        unique=True,
        null=True,
        blank=True,
        validators=[
            RegexValidator(
                PROFILE_NAME, _("2 to 30 lowercase letters, digits, hyphens and underscores, starting with a letter.")
            )
        ],
    )
    is_public = models.BooleanField(_("public"), default=False)
    shows_diary = models.BooleanField(default=False)
    hidden_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When staff hid the user's profile and public lists.")
    )

    objects = ProfileQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or f"profile of {self.user_id}"

    def get_absolute_url(self) -> str:
        return reverse("catalog:profile", args=[self.name])
