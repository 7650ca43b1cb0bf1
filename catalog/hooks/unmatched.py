"""Services for the owner of a hook: choose the movie of an unmatched event, or have the site look for all of them."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from catalog.errors import InvalidMatch, RowNotFound
from catalog.hooks.event import Event
from catalog.hooks.recorder import Recorder, lock
from catalog.imports.choices import locked_movie
from catalog.imports.fields import ParsedRow
from catalog.imports.matching import Match, match_rows
from catalog.imports.remembered import Remembered, forget, is_same, lock_user, remember
from catalog.ingest.identity import PUBLIC_IDS
from catalog.models import Hook, HookEvent, Movie, User

Choice, Outcome = HookEvent.Choice, HookEvent.Outcome


def choose_movie_of_event(*, user: User, event_id: int, movie_id: int | None) -> HookEvent:
    """Records an unmatched event, and all of the same identity, as being about a movie. Remembers it for later ones.

    Without a movie it remembers that none of the suggestions is right. Raises RowNotFound, MovieNotFound, InvalidMatch.
    """
    with transaction.atomic():
        hook, event = _locked_event(user, event_id)
        if not event.is_matchable:
            raise InvalidMatch
        movie = locked_movie(movie_id)
        remember(row=event, user=user, movie=movie)
        for other in _of_identity(hook, event):
            if movie:
                _record(hook, other, movie, Choice.MOVIE)
            else:
                HookEvent.objects.filter(pk=other.pk).update(choice=Choice.NONE)
    return event


def undo_choice_of_event(*, user: User, event_id: int) -> HookEvent:
    """Forgets that none of the suggestions was right. Raises RowNotFound, and InvalidMatch if it is recorded."""
    with transaction.atomic():
        hook, event = _locked_event(user, event_id)
        if not event.is_matchable or not event.choice:
            raise InvalidMatch
        forget(identity=event.identity, user=user)
        HookEvent.objects.filter(pk__in=[other.pk for other in _of_identity(hook, event)]).update(choice="")
    return event


def match_events_again(*, user: User) -> int:
    """Looks for the movies of all unmatched events again, and records those that are found. Returns their number."""
    hook = Hook.objects.filter(user=user).first()
    if hook is None:
        return 0
    events = [event for event in hook.events.filter(outcome=Outcome.UNMATCHED) if event.is_matchable]
    rows, remembered = [_parsed(event) for event in events], Remembered(user)
    matches = match_rows(rows, nearby=True)
    found = {}
    for event, row, match in zip(events, rows, matches, strict=True):
        [chosen] = remembered.apply([row], [match], event.service)
        if chosen.movie_id:
            found[event.pk] = chosen
    return _record_found(hook, found)


def _record_found(hook: Hook, found: Mapping[int, Match]) -> int:
    with transaction.atomic():
        locked = lock(hook)
        if locked is None:  # switched off in the meantime
            return 0
        movies = Movie.objects.select_for_update(no_key=True).in_bulk({match.movie_id for match in found.values()})
        events = locked.events.filter(pk__in=found, outcome=Outcome.UNMATCHED).order_by("happened_at", "pk")
        known = [(event, movie) for event in events if (movie := movies.get(found[event.pk].movie_id))]
        for event, movie in known:
            _record(locked, event, movie, found[event.pk].choice)
    return len(known)


def _locked_event(user: User, event_id: int) -> tuple[Hook, HookEvent]:
    lock_user(user)
    hook = Hook.objects.filter(user=user).first()
    locked = lock(hook) if hook else None
    event = locked.events.filter(pk=event_id).first() if locked else None
    if locked is None or event is None:
        raise RowNotFound
    return locked, event


def _of_identity(hook: Hook, event: HookEvent) -> Iterable[HookEvent]:
    """Returns the event and other unmatched ones of the same identity, oldest first."""
    unmatched = hook.events.filter(outcome=Outcome.UNMATCHED).order_by("happened_at", "pk")
    return [other for other in unmatched if other.pk == event.pk or is_same(other.identity, event.identity)]


def _record(hook: Hook, event: HookEvent, movie: Movie, choice: str) -> None:
    Recorder(hook, event.service, Event(HookEvent.Kind(event.kind), _parsed(event))).match(event, movie, choice)


def _parsed(event: HookEvent) -> ParsedRow:
    """Returns the event as it was read. The ids of events from earlier releases are unknown."""
    values = {name: value for name, value in event.identity.items() if name in PUBLIC_IDS}
    values |= {"rating": event.rating, "recorded_at": event.happened_at, "watched_on": event.watched_on}
    return ParsedRow("", 0, event.kind, title=event.title, year=event.year, **values)
