"""Services for secret webhook URLs: creating them, and receiving the events that media servers send."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from catalog.diary import record_viewing
from catalog.errors import ForeignEvent, HookNotFound, InvalidEvent, MovieNotFound
from catalog.hooks.event import Event, Server
from catalog.imports.matching import NOT_FOUND, Match, match_rows
from catalog.models import Hook, HookEvent, Movie, Rating, Source, User
from catalog.models.api_key import PREFIX_LENGTH, hash_of
from catalog.models.hook import NAMES_LENGTH, new_secret
from catalog.services import record_rating
from catalog.text import visible

Kind, Outcome = HookEvent.Kind, HookEvent.Outcome

IGNORED = "ignored"  # the response to an event that is not used
SAME_SHOWING = timedelta(hours=6)  # if a movie ends twice within this time, it was watched once


class NewHook(NamedTuple):
    """A new secret, which is shown once, and its row."""

    secret: str
    row: Hook


def create_hook(*, user: User) -> NewHook:
    """Creates the user's secret. Replaces the previous one, which stops working at once. Events and names are kept."""
    secret = new_secret()
    values = {"hash": hash_of(secret), "prefix": secret[:PREFIX_LENGTH], "created_at": timezone.now()}
    first = {**values, "names": user.username[:NAMES_LENGTH]}
    row, _ = Hook.objects.update_or_create(user=user, defaults=values, create_defaults=first)
    return NewHook(secret, row)


def remove_hook(*, user: User) -> bool:
    """Deletes the user's secret and its events. Returns False if there was none. What was recorded is kept."""
    return bool(Hook.objects.filter(user=user).delete()[0])


def save_names(*, hook: Hook, names: str) -> None:
    """Sets the owner's names in media servers, separated by commas. Raises InvalidEvent if there is none."""
    given = [name for part in names.split(",") if (name := visible(part))]
    if not given:
        raise InvalidEvent(gettext("Expected your name in your media server."))
    Hook.objects.filter(pk=hook.pk).update(names=", ".join(given)[:NAMES_LENGTH], foreign_at=None)


def hook_of(secret: str) -> Hook:
    """Returns the row of a secret. Raises HookNotFound, also if its owner's account is inactive."""
    hook = Hook.objects.select_related("user").filter(hash=hash_of(secret), user__is_active=True).first()
    if hook is None:
        raise HookNotFound
    return hook


def receive(*, hook: Hook, server: Server, body: Any) -> str:
    """Records an event and returns the outcome. Repeated events are recorded once.

    1. Parses the event. Returns IGNORED if it is irrelevant or not about a movie.
    2. Rejects events of other accounts of the media server, and stores nothing about them.
    3. Finds the movie like an import does.
    4. Records the viewing or rating, and the outcome for the owner's page.

    Raises InvalidEvent, ForeignEvent.
    """
    event = server.read(body)
    if event is None:
        return IGNORED
    _check_account(hook, server, event)
    [match] = match_rows([event.row], nearby=True)
    with transaction.atomic():
        locked = (
            Hook.objects.select_for_update(no_key=True, of=("self",)).select_related("user").filter(pk=hook.pk).first()
        )
        if locked is None:  # switched off in the meantime
            raise HookNotFound
        return _Receiver(locked, server, event).outcome_of(match)


def _check_account(hook: Hook, server: Server, event: Event) -> None:
    if server.has_accounts and not event.account:
        raise InvalidEvent(gettext("Expected the name of the account that watched or rated."))
    if event.account and not hook.is_of_owner(event.account):
        Hook.objects.filter(pk=hook.pk).update(foreign_at=timezone.now())
        raise ForeignEvent


class _Receiver:
    """Records one event while it holds the lock of the hook."""

    def __init__(self, hook: Hook, server: Server, event: Event) -> None:
        self.hook, self.server, self.event = hook, server, event
        self.at = event.row.recorded_at or timezone.now()

    def outcome_of(self, match: Match) -> str:
        movie = Movie.objects.filter(pk=match.movie_id).first() if match.movie_id else None
        earlier = self._earlier(movie)
        outcome: str = Outcome.UNMATCHED
        if earlier is not None and movie is not None and self.event.kind == Kind.WATCHED:
            outcome = Outcome.KNOWN
        elif movie is not None:
            try:
                outcome = self._record(movie)
            except MovieNotFound:  # deleted after it was matched
                movie, match = None, NOT_FOUND
        self._note(movie, match, outcome, earlier)
        return outcome

    def _earlier(self, movie: Movie | None) -> HookEvent | None:
        """Returns the event that this one repeats: the latest of its kind about the movie, if from the same showing."""
        row = self.event.row
        about = {"movie": movie} if movie else {"movie": None, "title": row.title, "year": row.year}
        latest: HookEvent | None = self.hook.events.filter(kind=self.event.kind, **about).order_by("-pk").first()
        if latest is None or latest.rating != row.rating or abs(latest.happened_at - self.at) > SAME_SHOWING:
            return None
        return latest

    def _record(self, movie: Movie) -> str:
        if self.event.kind == Kind.RATED:
            return self._rate(movie)
        day = (self.event.row.watched_on or self.at.date()) if self.event.kind == Kind.WATCHED else None
        is_new = record_viewing(user=self.hook.user, movie=movie, watched_on=day)[1]
        return Outcome.ADDED if is_new else Outcome.KNOWN

    def _rate(self, movie: Movie) -> str:
        """Records the rating unless the user's existing one is later, as in imports."""
        user, value = self.hook.user, self.event.row.rating
        known = Rating.objects.filter(user=user, movie=movie).first()
        if known and known.rating == value:
            return Outcome.KNOWN
        if known and known.rated_at > self.at:
            return Outcome.KEPT
        record_rating(user=user, movie=movie, rating=value or 0, rated_at=self.at, source=Source.IMPORTED)
        return Outcome.RATED

    def _note(self, movie: Movie | None, match: Match, outcome: str, earlier: HookEvent | None) -> None:
        if earlier is not None:
            self.hook.events.filter(pk=earlier.pk).update(times=F("times") + 1, received_at=timezone.now())
            return
        row = self.event.row
        self.hook.events.create(
            service=self.server.code,
            kind=self.event.kind,
            title=row.title or (movie.title if movie else ""),
            year=row.year,
            rating=row.rating,
            movie=movie,
            outcome=outcome,
            reasons=[list(reason) for reason in match.reasons],
            happened_at=self.at,
        )
        kept = self.hook.events.values("pk")[: settings.POLICY.hooks.keep_events]
        self.hook.events.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def events_of(hook: Hook) -> QuerySet[HookEvent]:
    """Returns the stored events, latest first."""
    return hook.events.select_related("movie")
