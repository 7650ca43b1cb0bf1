"""Records an event of a media server: the viewing or rating that it reports, and its outcome for the owner's page."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from catalog.diary import record_viewing
from catalog.errors import MovieNotFound
from catalog.hooks.event import Event
from catalog.imports.matching import NOT_FOUND, Match
from catalog.models import Hook, HookEvent, Movie, Rating, Source
from catalog.services import record_rating

Kind, Outcome = HookEvent.Kind, HookEvent.Outcome

SAME_SHOWING = timedelta(hours=6)  # if a movie ends twice within this time, it was watched once


def lock(hook: Hook) -> Hook | None:
    """Locks the hook until the transaction ends. Returns None if it was switched off."""
    rows = Hook.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    return rows.filter(pk=hook.pk).first()


class Recorder:
    """Records one event while the hook is locked."""

    def __init__(self, hook: Hook, service: str, event: Event) -> None:
        self.hook, self.service, self.event = hook, service, event
        self.at = event.row.recorded_at or timezone.now()

    def receive(self, match: Match) -> str:
        """Records what came in and returns its outcome."""
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

    def match(self, row: HookEvent, movie: Movie, choice: str = "") -> None:
        """Records a stored event that had no movie. A showing that is known already is not recorded again."""
        earlier = self._earlier(movie)
        is_known = earlier is not None and self.event.kind == Kind.WATCHED
        row.movie, row.choice = movie, choice
        row.outcome = Outcome.KNOWN if is_known else self._record(movie)
        row.save(update_fields=["movie", "choice", "outcome"])

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
            service=self.service,
            kind=self.event.kind,
            title=row.title or (movie.title if movie else ""),
            year=row.year,
            rating=row.rating,
            movie=movie,
            outcome=outcome,
            reasons=[list(reason) for reason in match.reasons],
            happened_at=self.at,
            watched_on=row.watched_on,
            identity=match.identity,
            choice=match.choice,
        )
        kept = self.hook.events.values("pk")[: settings.POLICY.hooks.keep_events]
        self.hook.events.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
