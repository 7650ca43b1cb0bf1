"""Explains the served model's score of a movie for a user, even if the movie is not in the user's lists."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.models import Movie, User
from recommender.services import explain


class Command(ServiceCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="user name or id")
        parser.add_argument("--movie", required=True, type=int, help="movie id")

    def handle(self, *args: Any, **options: Any) -> None:
        movie = Movie.objects.filter(pk=options["movie"]).first()
        if movie is None:
            raise CommandError(f"Movie {options['movie']} does not exist.")
        user = find_user(options["user"])
        explanation = explain(user=user, movie=movie)
        self.stdout.write(f"{movie} for {user.get_username()}\n")
        self.stdout.write(f"source  {explanation.source}, by model {explanation.model_version}")
        self.stdout.write(f"score   {explanation.score:.6f}")
        if explanation.is_seen:
            self.stdout.write("note    no list shows this movie: the user has seen it")
        if explanation.is_dismissed:
            self.stdout.write("note    no list shows this movie: the user has dismissed it")
        self.stdout.write("")
        for reason in explanation.contributions:
            self.stdout.write(f"{reason.contribution:+.6f}  {reason}")
        total = sum(reason.contribution for reason in explanation.contributions)
        self.stdout.write(f"{total:+.6f}  total")


def find_user(name: str) -> User:
    """Return the user with this name or, if there is none, with this id. Raises CommandError."""
    user = User.objects.filter(username=User.normalize_username(name)).first()
    if user is None and name.isascii() and name.isdigit():
        user = User.objects.filter(pk=int(name)).first()
    if user is None:
        raise CommandError(f"User {name!r} does not exist; expected a username or id.")
    return user
