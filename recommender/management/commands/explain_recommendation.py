"""Says why a movie is, or is not, recommended to a user by the served model."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Movie, User
from recommender.reasons import Reason
from recommender.services import Explanation, RecommenderError, explain


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="user name or id")
        parser.add_argument("--movie", required=True, type=int, help="id of the movie")

    def handle(self, *args: Any, **options: Any) -> None:
        movie = Movie.objects.filter(pk=options["movie"]).first()
        if movie is None:
            raise CommandError(f"There is no movie {options['movie']}.")
        user = find_user(options["user"])
        try:
            explanation = explain(user=user, movie=movie)
        except RecommenderError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{movie} for {user.get_username()}\n")
        self.stdout.write(f"source  {explanation.source}, by model {explanation.model_version}")
        self.stdout.write(f"score   {explanation.score:.6f}")
        for note in notes(explanation):
            self.stdout.write(f"note    {note}")
        self.stdout.write("")
        for reason in explanation.contributions:
            self.stdout.write(f"{reason.contribution:+.6f}  {described(reason)}")
        total = sum(reason.contribution for reason in explanation.contributions)
        self.stdout.write(f"{total:+.6f}  in all")


def find_user(name: str) -> User:
    """By name; a number that is nobody's name is an id."""
    user = User.objects.filter(username=name).first()
    if user is None and name.isascii() and name.isdigit():
        user = User.objects.filter(pk=int(name)).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}; give a user name or an id.")
    return user


def notes(explanation: Explanation) -> list[str]:
    said = []
    if explanation.is_seen:
        said.append("the user has seen this movie, so that no list shows it")
    if explanation.is_dismissed:
        said.append("the user is not interested in this movie, so that no list shows it")
    return said


def described(reason: Reason) -> str:
    if reason.kind == "interaction":
        return "what no single rating accounts for"
    return f"{reason.kind}: {reason.name}"
