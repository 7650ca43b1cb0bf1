"""Exports all data stored about a user. Follows the models' relations, so that new models are included.

To exclude a model, set NOT_EXPORTED to the reason. To exclude fields, list them in SECRETS.
"""

import json
from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialToken
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, BinaryField, ForeignObjectRel, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.imports.entries import READ_AT_ONCE
from catalog.imports.format import Export
from catalog.imports.formats import EXPORTED, export_ratings
from catalog.models import Movie, User

EVERYTHING = "everything"
EXPORTS = (*EXPORTED, EVERYTHING)
ACCOUNT = (
    *("id", "username", "email", "first_name", "last_name", "date_joined", "last_login", "is_staff"),
    *("watch_services", "only_my_services"),
)


def export(*, user: User, format: str) -> Export:
    """Exports in one of EXPORTS: a file that other sites can import, or all data as JSON."""
    if format != EVERYTHING:
        return export_ratings(user=user, format=format)
    return Export("movierec-everything.json", "application/json", "".join(_archive_of(user)).encode())


def _archive_of(user: User) -> Iterator[str]:
    """Yields the JSON document in parts: the user's rows of each model, and the reasons for excluded models."""
    owned = dict(_owned_by(User))
    account = {name: getattr(user, name) for name in ACCOUNT}
    yield f'{{"made_at": {_json(timezone.now())},\n"account": {_json(account)},\n"rows": {{'
    for number, (model, path) in enumerate((model, path) for model, path in owned.items() if not _left_out(model)):
        yield f"{',' if number else ''}\n{_json(model._meta.label)}: ["
        for place, row in enumerate(_rows(model, path, user)):
            yield f"{',' if place else ''}\n{_json(row)}"
        yield "]"
    left_out = {model._meta.label: str(_left_out(model)) for model in owned if _left_out(model)}
    yield f'}},\n"not_included": {_json(left_out | _records_of_the_site())}}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _records_of_the_site() -> dict[str, str]:
    why = _("An audit record of the site. It is kept without the name when the account is deleted.")
    kept = [relation for relation in _relations(User) if not _is_owned(relation)]
    return {f"{relation.related_model._meta.label}.{relation.field.name}": why for relation in kept}


def _owned_by(model: type[Model], above: str = "") -> Iterator[tuple[type[Model], str]]:
    """Yields each model whose rows are deleted together with a row of this one, and the look-up path to it."""
    for relation in _relations(model):
        if _is_owned(relation):
            path = f"{relation.field.name}__{above}" if above else relation.field.name
            yield relation.related_model, path
            yield from _owned_by(relation.related_model, path)


def _relations(model: type[Model]) -> list[Any]:
    fields = model._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, ForeignObjectRel) and not field.many_to_many]


def _is_owned(relation: Any) -> bool:
    return relation.on_delete is CASCADE and not relation.parent_link


def _left_out(model: type[Model]) -> Any:
    if model is Authenticator:
        return _("Secrets. The account's two-factor page shows which ones are set up.")
    if model is EmailConfirmation:
        return _("Always empty, because the site signs the links in its emails instead.")
    if model is SocialToken:
        return _("Always empty, because the site does not store identity provider tokens.")
    return getattr(model, "NOT_EXPORTED", "")


def _rows(model: type[Model], path: str, user: User) -> Iterator[dict[str, Any]]:
    secrets: frozenset[str] = getattr(model, "SECRETS", frozenset())
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, BinaryField) and f.name not in secrets]
    columns = [field.attname for field in fields if field.related_model is not User]
    titles = [f"{field.name}__title" for field in fields if field.related_model is Movie]
    rows = model._base_manager.filter(**{path: user.pk}).order_by("pk")
    return rows.values(*columns, *titles).iterator(READ_AT_ONCE)
