"""Services for the owner of followed sources: add, pause, remove them, and sync them at once."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from catalog.errors import InvalidSource, SyncTooSoon
from catalog.following.formats import SOURCES
from catalog.following.source import CIPHER
from catalog.following.syncs import start_sync
from catalog.models import FollowedRow, FollowedSource, SourceSync, User
from catalog.models.api_key import hash_of

Outcome = FollowedRow.Outcome

PAUSE = timedelta(minutes=5)  # between two syncs on request


def follow(
    *,
    user: User,
    kind: str,
    address: str,
    options: Mapping[str, str] | None = None,
    with_existing: bool = True,
    trigger: str,
) -> FollowedSource:
    """Adds a source and enqueues its first sync. Raises InvalidSource.

    Without `with_existing`, the first sync only notes what is there, and later ones import what is new.
    """
    if kind not in SOURCES or not SOURCES[kind].is_available():
        message = gettext("Expected one of the kinds of sources that this site can follow.")
        raise InvalidSource(message, fields={"kind": [message]})
    target = SOURCES[kind].target(address, options or {})
    values = {"name": target.name, "encrypted": CIPHER.encrypt(target.address), "options": dict(target.options)}
    fingerprint = hash_of(f"{kind}:{target.address or target.name}")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _check_number(user)
        try:
            with transaction.atomic():
                source = FollowedSource.objects.create(
                    user=user, kind=kind, fingerprint=fingerprint, with_existing=with_existing, **values
                )
        except IntegrityError:
            raise InvalidSource(gettext("You follow {name} already.").format(name=target.name)) from None
        start_sync(source, trigger=trigger)
    return source


def _check_number(user: User) -> None:
    limit = settings.POLICY.following.max_sources
    if user.followed_sources.count() >= limit:
        raise InvalidSource(gettext("Expected at most {n} sources; remove one first.").format(n=limit))


def sync_now(source: FollowedSource, *, trigger: str) -> SourceSync:
    """Starts a sync, or returns the one under way. Raises SyncTooSoon soon after the last one, or while paused."""
    latest: SourceSync | None = source.syncs.first()
    if latest and (latest.is_active or latest.retry_at):
        return latest
    if source.paused_at:
        raise SyncTooSoon(gettext("{name} is paused.").format(name=source.name))
    if latest and latest.created_at > timezone.now() - PAUSE:
        raise SyncTooSoon
    sync: SourceSync | None = start_sync(source, trigger=trigger) or source.syncs.first()
    if sync is None:
        raise SyncTooSoon
    return sync


def pause(source: FollowedSource, *, paused: bool) -> None:
    """Pauses the source, or resumes it; it is then due at once."""
    values = {"paused_at": timezone.now()} if paused else {"paused_at": None, "next_sync_at": timezone.now()}
    FollowedSource.objects.filter(pk=source.pk).update(**values)


def unfollow(source: FollowedSource) -> None:
    """Removes the source. What was imported from it stays."""
    source.delete()


def sources_of(user: User) -> QuerySet[FollowedSource]:
    """Returns the user's sources with their latest syncs, and the numbers of rows `n_imported` and `n_unmatched`."""
    syncs = Prefetch("syncs", SourceSync.objects.defer("log"))
    counts = {f"n_{outcome.value}": _count_of(outcome) for outcome in (Outcome.IMPORTED, Outcome.UNMATCHED)}
    return user.followed_sources.annotate(**counts).order_by("pk").prefetch_related(syncs)


def _count_of(outcome: FollowedRow.Outcome) -> Count:
    return Count("rows", filter=Q(rows__outcome=outcome))
