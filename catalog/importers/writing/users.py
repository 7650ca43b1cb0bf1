"""Users of a data set: they rate, and cannot sign in."""

import secrets
from collections.abc import Callable, Sequence

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction

from catalog.models import Source, User

BATCH = 2000


def ensure_users(
    *, source: Source, external_ids: Sequence[str], advance: Callable[[int], object] = lambda n: None
) -> tuple[dict[str, int], int]:
    """Primary key of each user by the id in its source, those that were missing made; and how many were."""
    keys = dict(User.objects.filter(source=source).exclude(external_id="").values_list("external_id", "pk").iterator())
    missing = [external_id for external_id in external_ids if external_id not in keys]
    advance(len(external_ids) - len(missing))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        with transaction.atomic():
            keys |= _create(source, batch)
        advance(len(batch))
    return keys, len(missing)


def _create(source: Source, external_ids: list[str]) -> dict[str, int]:
    names = {external_id: f"{source.value}-{external_id}" for external_id in external_ids}
    for name in User.objects.filter(username__in=names.values()).values_list("username", flat=True):
        external_id = name.removeprefix(f"{source.value}-")
        names[external_id] = f"{name}-{secrets.token_hex(4)}"  # somebody of the site has the name
    users = [
        # What make_password(None) gives, without its forty calls of the random generator for each user.
        User(username=name, source=source, external_id=key, password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20))
        for key, name in names.items()
    ]
    User.objects.bulk_create(users)
    return {user.external_id: user.pk for user in users}
