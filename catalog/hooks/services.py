"""Services for secret webhook URLs: creating them, and receiving the events that media servers send."""

from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from catalog.errors import ForeignEvent, HookNotFound, InvalidEvent
from catalog.hooks.event import Event, Server
from catalog.hooks.recorder import Recorder, lock
from catalog.imports.matching import match_rows
from catalog.imports.remembered import Remembered
from catalog.models import Hook, HookEvent, User
from catalog.models.api_key import PREFIX_LENGTH, hash_of
from catalog.models.hook import NAMES_LENGTH, new_secret
from catalog.text import visible

IGNORED = "ignored"  # the response to an event that is not used


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
    [match] = Remembered(hook.user).apply([event.row], match_rows([event.row], nearby=True), server.code)
    with transaction.atomic():
        locked = lock(hook)
        if locked is None:  # switched off in the meantime
            raise HookNotFound
        return Recorder(locked, server.code, event).receive(match)


def _check_account(hook: Hook, server: Server, event: Event) -> None:
    if server.has_accounts and not event.account:
        raise InvalidEvent(gettext("Expected the name of the account that watched or rated."))
    if event.account and not hook.is_of_owner(event.account):
        Hook.objects.filter(pk=hook.pk).update(foreign_at=timezone.now())
        raise ForeignEvent


def events_of(hook: Hook) -> QuerySet[HookEvent]:
    """Returns the stored events, latest first."""
    return hook.events.select_related("movie")
