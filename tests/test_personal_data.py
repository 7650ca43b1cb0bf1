"""What belongs to a user, in every app: all of it is in the copy they take, and nothing is left after a deletion."""

import json
from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import CASCADE, SET_NULL

from catalog.accounts import delete_account
from catalog.diary import record_viewing, write_note
from catalog.lists import add_to_list, create_list
from catalog.models import ImportRow, User, UserImport
from catalog.profiles import save_profile
from catalog.services import add_to_watchlist, record_rating
from mlops.models import UserPseudonym
from recommender.models import Feedback, Impression, TasteConsent
from recommender.services import record_feedback
from tests.factories import MovieFactory, UserFactory, key_of

pytestmark = pytest.mark.django_db

MARK = "zephyrine"  # in every text of hers


@pytest.fixture
def user(sam) -> User:
    """Somebody with a row in each model that belongs to users."""
    user = UserFactory(username=f"{MARK}-user", email=f"{MARK}@example.org")
    movie, other = MovieFactory.create_batch(2)
    record_rating(user=user, movie=movie, rating=4)
    add_to_watchlist(user=user, movie=other)
    record_viewing(user=user, movie=movie, watched_on=date(2026, 5, 31), note=f"{MARK} viewing")
    write_note(user=user, movie=movie, text=f"{MARK} note")
    add_to_list(create_list(user=user, name=f"{MARK} list"), movie)
    save_profile(user=user, name=MARK, is_public=True, shows_diary=True)
    upload = UserImport.objects.create(user=user, name=f"{MARK}.csv", format="csv", n_rows=1, content=MARK.encode())
    ImportRow.objects.create(user_import=upload, movie=movie, file=f"{MARK}.csv", line=1, kind="rated")
    record_feedback(user=user, movie=other, kind=Feedback.Kind.NOT_INTERESTED)
    Impression.objects.create(user=user, surface="home", items=[], shown_at="2026-01-01T00:00:00Z")
    TasteConsent.objects.create(user=user)
    UserPseudonym.objects.create(user=user)
    key_of(user, name=f"{MARK} key")
    EmailAddress.objects.create(user=user, email=user.email)
    user.groups.add(Group.objects.create(name="Editors"))
    user.user_permissions.add(Permission.objects.first())
    by_her, about_her = (user, movie), (sam, user)
    for who, what in (by_her, about_her):
        kind = ContentType.objects.get_for_model(what)
        LogEntry.objects.create(
            user=who, content_type=kind, object_id=what.pk, object_repr=str(what), action_flag=CHANGE
        )
    return user


def relations(on_delete: Any) -> set[str]:
    """Models and fields that refer to users, and do this when one is deleted."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if field.related_model is User and field.remote_field.on_delete is on_delete
    }


def everything(client, user) -> dict[str, Any]:
    client.force_login(user)
    answer = client.get("/accounts/export/everything/")
    assert answer["Content-Disposition"] == 'attachment; filename="movierec-everything.json"'
    return json.loads(answer.content)


def test_every_relation_is_exported_or_explained(client, user):
    copy = everything(client, user)
    owned = {name.rpartition(".")[0] for name in relations(CASCADE)}

    assert owned <= copy["rows"].keys() | copy["not_included"].keys()
    assert relations(SET_NULL) <= copy["not_included"].keys()
    assert [name for name, rows in copy["rows"].items() if not rows] == []  # else this test shows nothing about them
    assert all(copy["not_included"].values())
    assert {name.split(".")[0] for name in copy["rows"]} >= {"catalog", "recommender"}


def test_the_copy_has_what_was_written_and_no_secret(client, user, bob):
    write_note(user=bob, movie=MovieFactory(), text="Of another.")
    copy = everything(client, user)
    text = json.dumps(copy)

    assert copy["account"]["username"] == user.username
    for written in ("viewing", "note", "list", "key"):
        assert f"{MARK} {written}" in text
    assert copy["rows"]["catalog.MovieListItem"][0]["movie__title"]
    for secret in (user.api_keys.get().hash, user.password, "Of another.", str(user.pseudonym.number)):
        assert secret not in text


def test_the_api_gives_the_same_copy(client, api, user):
    api.force_authenticate(user)
    copy = api.get("/api/v1/export/everything/").json()

    assert copy["rows"] == everything(client, user)["rows"]


def test_a_deleted_account_leaves_nothing(user):
    pk = user.pk
    delete_account(user=user)
    left = [
        f"{model._meta.label}.{column}: {value}"
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.values()
        for column, value in row.items()
        if MARK in str(value)
    ]
    owned = [name for name in relations(CASCADE) if _count(name, pk)]

    assert (left, owned) == ([], [])
    assert LogEntry.objects.count() == 1  # what staff did about the account


def _count(name: str, pk: int) -> int:
    label, _, field = name.rpartition(".")
    return apps.get_model(label)._base_manager.filter(**{field: pk}).count()
