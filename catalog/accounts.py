"""Account deletion."""

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from catalog.models import Movie, Rating, User


def delete_account(*, user: User) -> None:
    """Deletes the user with all their data and subtracts their ratings from the movies' figures.

    The user's row is locked first, so that they cannot rate in the meantime, then the movies they rated.
    """
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=user.pk).exists():
            return
        rated = Movie.objects.filter(pk__in=Rating.objects.filter(user=user).values("movie"))
        list(rated.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        theirs = Rating.objects.filter(user=user, movie=OuterRef("pk")).values("rating")
        rated.update(rating_count=F("rating_count") - 1, rating_sum=F("rating_sum") - Subquery(theirs))
        user.delete()
