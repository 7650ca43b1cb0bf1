"""A copy of all that the site keeps about a user, found by the relations of the models: whatever is added is in it.

A model that must not be in it says why as NOT_EXPORTED.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, BinaryField, ForeignObjectRel, Model
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authtoken.models import Token

from catalog.imports.format import Export
from catalog.imports.formats import FORMATS, export_ratings
from catalog.models import Movie, User

EVERYTHING = "everything"
EXPORTS = (*FORMATS, EVERYTHING)
ACCOUNT = ("id", "username", "email", "first_name", "last_name", "date_joined", "last_login", "is_staff")


def export(*, user: User, format: str) -> Export:
    """One of EXPORTS: a file that other sites and this one import, or everything as JSON."""
    if format != EVERYTHING:
        return export_ratings(user=user, format=format)
    content = json.dumps(archive_of(user), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode()
    return Export("movierec-everything.json", "application/json", content)


def archive_of(user: User) -> dict[str, Any]:
    """The rows of each model that belong to the user, and why others are not included."""
    owned = dict(_owned_by(User))
    return {
        "made_at": timezone.now(),
        "account": {name: getattr(user, name) for name in ACCOUNT},
        "rows": {model._meta.label: _rows(model, path, user) for model, path in owned.items() if not _left_out(model)},
        "not_included": {model._meta.label: str(_left_out(model)) for model in owned if _left_out(model)}
        | {
            f"{relation.related_model._meta.label}.{relation.field.name}": _(
                "A record of the site that names who did something; it loses the name with the account."
            )
            for relation in _relations(User)
            if not _is_owned(relation)
        },
    }


def _owned_by(model: type[Model], above: str = "") -> Iterator[tuple[type[Model], str]]:
    """Each model whose rows are deleted with a row of this one, and the look-up that leads back to it."""
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
    if model is Token:
        return _("A secret. The account page says whether there is one.")
    return getattr(model, "NOT_EXPORTED", "")


def _rows(model: type[Model], path: str, user: User) -> list[dict[str, Any]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, BinaryField)]
    columns = [field.attname for field in fields if field.related_model is not User]
    titles = [f"{field.name}__title" for field in fields if field.related_model is Movie]
    rows = model._base_manager.filter(**{path: user.pk}).order_by("pk")
    return list(rows.values(*columns, *titles))
