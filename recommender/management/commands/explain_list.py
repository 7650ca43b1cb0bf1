"""Explains how a user's list is made: why it is short or empty, and why it contains each movie."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from recommender.management.commands.explain_recommendation import find_user
from recommender.services import recommend, recommend_new
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile
from recommender.serving.trace import Attempt, ListTrace


class Command(ServiceCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="user name or id")
        parser.add_argument("--k", type=int, default=10, help="length of the list (default: 10)")
        parser.add_argument("--new", action="store_true", help="explain the list of new movies")
        parser.add_argument("--include-new", action="store_true", help="blend new movies into the list")
        parser.add_argument("--genre", help="only this genre, by name or slug")
        parser.add_argument("--exclude", type=int, nargs="+", default=[], metavar="ID", help="ids of movies to exclude")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"] and (options["include_new"] or options["genre"] or options["exclude"]):
            raise CommandError("--new cannot be combined with --include-new, --genre or --exclude.")
        user = find_user(options["user"])
        profile, trace = UserProfile.of(user), ListTrace(is_detailed=True)
        filters = {} if options["new"] else {name: options[name] for name in ("include_new", "genre", "exclude")}
        make: Callable[..., RecommendationList] = recommend_new if options["new"] else recommend
        recommendations = make(
            user=user, k=options["k"], **filters, explain=True, surface=None, profile=profile, trace=trace
        )
        attempts = [line for attempt in trace.attempts for line in _attempt(attempt)]
        lines = ["Profile", *_profile(profile), "", "Sources, in order", *attempts, "", *_list(recommendations, trace)]
        self.stdout.write("\n".join(lines))


def _profile(profile: UserProfile) -> list[str]:
    return [
        f"  {len(profile.ratings):>6}  ratings, {len(profile.liked())} of them high",
        f"  {len(profile.watched):>6}  movies watched without a rating",
        f"  {len(profile.dismissed):>6}  movies dismissed",
    ]


def _attempt(attempt: Attempt) -> list[str]:
    model = "" if attempt.version is None else f" (model {attempt.version})"
    lines = [f"  {attempt.source}{model}, asked for {attempt.wanted} movies: {attempt.outcome.label}"]
    return lines + [f"  {n:>6}  {step.label}" for step, n in attempt.steps if n]


def _list(recommendations: RecommendationList, trace: ListTrace) -> list[str]:
    if not recommendations.results:
        return [f"The list is empty ({trace.empty_reason.value}): {trace.empty_reason.label}."]
    model = "no model" if recommendations.model_version is None else f"model {recommendations.model_version}"
    fallback = recommendations.fallback or "none"
    lines = [f"List of {len(recommendations.results)} movies by {model}, fallback: {fallback}"]
    for result in recommendations.results:
        reasons = "; ".join(map(str, result.reasons))
        because = f"  because of {reasons}" if reasons else ""
        lines.append(f"  {result.rank:>3}  {result.movie}  {result.score:.4f}  {result.source}{because}")
        lines += [f"       {result.reason.sentence}"] if result.reason else []
    return lines
