"""Requests every admin page. tests/slow/test_browser_admin_pages.py does so in a browser."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from catalog.models import Movie, Picture, User
from mlops.schedules import ensure_schedules
from tests.factories import PictureFactory
from tests.mlops.site import make_version

VALUES: dict[str, Any] = {
    "BooleanField": True,
    "DateField": timezone.now().date(),
    "DateTimeField": timezone.now(),
    "JSONField": {},
    "CharField": "x",
    "TextField": "x",
    "SlugField": "x",
}


def row_of(model: type[Model]) -> Model:
    """A row that is there, else a new one with what it must have."""
    if model is Picture:  # has a movie or a person, which its fields do not say
        return PictureFactory(movie=row_of(Movie))
    return model._base_manager.first() or model._base_manager.create(
        **{
            field.name: _value_of(field)
            for field in model._meta.concrete_fields
            if not (field.null or field.blank or field.has_default() or field.auto_created)
            and not (field.is_relation and field.remote_field.parent_link)
        }
    )


def _value_of(field: Any) -> Any:
    if field.is_relation:
        return row_of(field.related_model)
    return field.choices[0][0] if field.choices else VALUES.get(field.get_internal_type(), 1)


def admin_pages(staff: User) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The list, a row's page and, where rows are added, the form of each model; with where it may lead."""
    ensure_schedules()
    make_version()
    request: Any = type("Request", (), {"user": staff})()
    for model, its_admin in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        rows, row = reverse(f"{base}_changelist"), reverse(f"{base}_change", args=[row_of(model).pk])
        yield rows, (rows, row)  # a table of one row leads to it
        yield row, (row,)
        if its_admin.has_add_permission(request):
            added = reverse(f"{base}_add")
            yield added, (added,)


def test_every_page_of_a_model_answers(client, sam, alice, quick):
    client.force_login(sam)
    for address, arrived in admin_pages(sam):
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        assert answer.request["PATH_INFO"] in arrived
        assert b"content-main" in answer.content, address
