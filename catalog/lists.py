"""Services for users' lists of movies. A list's row is locked while its movies change."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import InvalidList, ListNotFound, MovieNotFound, UserNotFound
from catalog.models import Movie, MovieList, MovieListItem, User
from catalog.models.personal import MAX_LIST_LENGTH, MAX_LISTS
from catalog.services import changing
from catalog.text import visible

BATCH = 400  # rows per update, below SQLite's parameter limit in every build


def create_list(*, user: User, name: str, description: str = "", is_public: bool = False) -> MovieList:
    """Creates a list. Raises UserNotFound, or InvalidList if the name is in use or the user has too many lists."""
    with transaction.atomic():
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
            raise UserNotFound
        if user.lists.count() >= MAX_LISTS:
            raise InvalidList(_("You have reached the limit of %(n)s lists.") % {"n": MAX_LISTS})
        return _save(MovieList(user=user, name=name, description=description, is_public=is_public))


def change_list(movie_list: MovieList, **values: str | bool) -> MovieList:
    """Changes the name, the description or `is_public`. Raises InvalidList, ListNotFound."""
    for name, value in values.items():
        setattr(movie_list, name, value)
    with transaction.atomic():
        if not MovieList.objects.select_for_update(no_key=True).filter(pk=movie_list.pk).exists():
            raise ListNotFound  # otherwise it would be saved as a new list
        return _save(movie_list)


def add_to_list(movie_list: MovieList, movie: Movie) -> bool:
    """Appends the movie to the list. Returns False if it was already in it.

    Raises InvalidList, ListNotFound, MovieNotFound.
    """
    with _changing(movie_list, movie):
        if movie_list.items.filter(movie=movie).exists():
            return False
        figures = movie_list.items.aggregate(last=Max("position"))
        if movie_list.items.count() >= MAX_LIST_LENGTH:
            raise InvalidList(_("A list can contain at most %(n)s movies.") % {"n": MAX_LIST_LENGTH})
        MovieListItem.objects.create(movie_list=movie_list, movie=movie, position=(figures["last"] or 0) + 1)
    return True


def remove_from_list(movie_list: MovieList, movie: Movie) -> bool:
    """Removes the movie. Returns False if it was not in the list. Raises ListNotFound, MovieNotFound."""
    with _changing(movie_list, movie):
        return movie_list.items.filter(movie=movie).delete()[0] > 0


def move_in_list(movie_list: MovieList, movie: Movie, position: int) -> None:
    """Moves the movie to this position, counted from 1. A position beyond the end means the end.

    Raises ListNotFound, MovieNotFound.
    """
    with _changing(movie_list, movie):
        items = list(MovieListItem.objects.filter(movie_list=movie_list))  # not the items prefetched with the list
        moved = next((item for item in items if item.movie_id == movie.pk), None)
        if moved is None:
            raise MovieNotFound(_("This movie is not in the list."))
        items.remove(moved)
        items.insert(max(position, 1) - 1, moved)
        misplaced = [item for place, item in enumerate(items, 1) if item.position != place]
        for place, item in enumerate(items, 1):
            item.position = place
        MovieListItem.objects.bulk_update(misplaced, ["position"], batch_size=BATCH)


def choose_lists(*, user: User, movie: Movie, keys: Collection[str], new_name: str = "") -> None:
    """Adds the movie to the user's lists with these keys and to a new list. Removes it from all others.

    Changes nothing if it raises InvalidList, ListNotFound, MovieNotFound or UserNotFound.
    """
    with transaction.atomic():
        if new_name:
            keys = {*keys, create_list(user=user, name=new_name).key}
        for movie_list in user.lists.holding(movie):
            if movie_list.key in keys and not movie_list.holds:
                add_to_list(movie_list, movie)
            elif movie_list.holds and movie_list.key not in keys:
                remove_from_list(movie_list, movie)


@contextmanager
def _changing(movie_list: MovieList, movie: Movie) -> Iterator[None]:
    """Locks the list and the movie. Otherwise Postgres would notice a deleted one only at the outermost commit."""
    with changing(movie_list.user, movie):
        if not MovieList.objects.filter(pk=movie_list.pk).update(updated_at=timezone.now()):
            raise ListNotFound
        yield


def _save(movie_list: MovieList) -> MovieList:
    movie_list.name, movie_list.description = visible(movie_list.name), visible(movie_list.description)
    if not movie_list.name:
        raise InvalidList(_("Enter a name for the list."), fields={"name": [_("Enter a name for the list.")]})
    try:
        with transaction.atomic():
            movie_list.save()
    except IntegrityError:
        message = _("You already have a list named %(name)s.") % {"name": movie_list.name}
        raise InvalidList(message, fields={"name": [message]}) from None
    return movie_list
