"""All personal data of a user is included in the export and removed by a deletion."""

import json
from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import CASCADE, SET_NULL
from django.test import Client
from django.utils import timezone

from catalog.accounts import delete_account
from catalog.diary import record_viewing, write_note
from catalog.following.services import follow
from catalog.hooks.services import create_hook
from catalog.lists import add_to_list, create_list
from catalog.models import ColumnMapping, FollowedRow, HookEvent, ImportRow, MatchChoice, SyncRun, User, UserImport
from catalog.models.invitation import Invitation
from catalog.profiles import save_profile
from catalog.services import add_to_watchlist, record_rating
from mlops.models import (
    GateDecision,
    ParameterChoice,
    Promotion,
    QuarantinedRow,
    TuningStudy,
    TuningTrial,
    UserPseudonym,
)
from recommender.models import Feedback, Impression, TasteConsent
from recommender.services import record_feedback
from tests.factories import MovieFactory, UserFactory, key_of
from tests.mlops.site import make_snapshot, make_version

pytestmark = pytest.mark.django_db

MARK = "zephyrine"  # contained in all her texts
KEPT = {  # kept without the name of the person, with the reason
    "catalog.Job": "runs, syncs and imports of the site, to which models and figures refer",
    "catalog.Invitation": "a used one stays used; what it said about its person goes when it is used",
    "mlops.DatasetSnapshot": "a withdrawn snapshot stays withdrawn",
    "mlops.QuarantinedRow": "a row stays released, or trainings would leave it out again",
    "mlops.ParameterChoice": "trainings go on with the parameters that were adopted",
    "mlops.GateDecision": "append-only: why a version was served, or was not",
    "mlops.Promotion": "append-only: which version was served when",
}


@pytest.fixture
def user(sam) -> User:
    """A user with a row in each model that belongs to users."""
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
    ColumnMapping.objects.create(user=user, header="0" * 64, columns={MARK: "title"}, confirmed_at=timezone.now())
    MatchChoice.objects.create(user=user, movie=movie, title=f"{MARK} row", identity={"title": MARK})
    record_feedback(user=user, movie=other, kind=Feedback.Kind.NOT_INTERESTED)
    Impression.objects.create(user=user, surface="home", items=[], shown_at="2026-01-01T00:00:00Z")
    TasteConsent.objects.create(user=user)
    UserPseudonym.objects.create(user=user)
    key_of(user, name=f"{MARK} key")
    hook = create_hook(user=user).row
    event = {"title": f"{MARK} event", "happened_at": timezone.now(), "outcome": "unmatched"}
    HookEvent.objects.create(hook=hook, service="plex", kind="watched", **event)
    followed = follow(user=user, kind="address", address=f"https://example.org/{MARK}?{MARK}-secret", trigger="page")
    FollowedRow.objects.create(source=followed, key="1", outcome="unmatched", title=f"{MARK} row")
    EmailAddress.objects.create(user=user, email=user.email)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "sealed"})
    identity = {"provider": "https://id.example.org", "uid": f"{MARK} sub"}
    SocialAccount.objects.create(user=user, extra_data={"preferred_username": MARK}, **identity)
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
    """Returns models and fields that refer to users and have this on_delete."""
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


def owned_models() -> set[str]:
    """Returns models whose rows are deleted with a user, directly or indirectly."""
    fields = [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.remote_field and field.remote_field.on_delete is CASCADE
    ]
    found: set[Any] = {User}
    while more := {model for model, field in fields if field.related_model in found} - found:
        found |= more
    return {model._meta.label for model in found - {User}}


def test_every_model_that_belongs_to_a_user_is_exported(client, user):
    """Includes rows that belong indirectly, such as the rows of an import."""
    copy = everything(client, user)

    assert owned_models() >= {"catalog.Rating", "catalog.ImportRow", "catalog.APIKey", "recommender.Impression"}
    assert owned_models() == copy["rows"].keys() | (copy["not_included"].keys() & owned_models())
    assert [name for name, rows in copy["rows"].items() if not rows] == []  # else nothing is shown about them
    assert all(copy["not_included"].values())


def test_what_is_kept_without_the_name_is_declared(client, user):
    told = everything(client, user)["not_included"]
    fields = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.related_model is User and field.remote_field.on_delete is not CASCADE
    }

    assert fields == relations(SET_NULL) == {name for name in told if name.count(".") == 2}
    assert {name.rpartition(".")[0] for name in fields} == set(KEPT)


def test_what_is_kept_loses_the_name(user):
    version = make_version(snapshot=make_snapshot(withdrawn_by=user))
    study = TuningStudy.objects.create(snapshot=version.snapshot, algorithm="ease", n_trials=1, space={}, recipe="0")
    trial = TuningTrial.objects.create(study=study, number=1, parameters={}, seconds=1)
    rows = [
        version.snapshot,
        SyncRun.objects.create(scope="changes", requested_by=user).job_ptr,
        Invitation.objects.create(code_hash="0", expires_at=timezone.now(), created_by=user, used_by=user),
        QuarantinedRow.objects.create(fingerprint="0", kind="movie", content={}, reasons=[], released_by=user),
        ParameterChoice.objects.create(algorithm="ease", parameters={}, trial=trial, adopted_by=user),
        GateDecision.objects.create(version=version, outcome="refused", rules=[], decided_by=user),
        Promotion.objects.create(version=version, kind="promoted", promoted_by=user),
    ]
    delete_account(user=user)

    assert {row._meta.label for row in rows} == set(KEPT)
    for row in rows:
        kept = type(row)._base_manager.values().get(pk=row.pk)
        assert [kept[name] for name in kept if name.endswith("_by_id") and kept[name] is not None] == []


def test_deletion_signs_out_every_browser_and_program(client, api, user):
    other = Client()
    for browser in (client, other):
        browser.force_login(user)
    key = key_of(user)
    client.post("/accounts/delete/", {"password": "correct horse battery"})

    assert not User.objects.filter(pk=user.pk).exists()
    for browser in (client, other):
        assert browser.get("/accounts/")["Location"].startswith("/accounts/sign-in/")
    assert api.get("/api/v1/ratings/", headers={"Authorization": f"Token {key}"}).status_code == 401


def test_the_copy_has_what_was_written_and_no_secret(client, user, bob):
    write_note(user=bob, movie=MovieFactory(), text="Of another.")
    copy = everything(client, user)
    text = json.dumps(copy)

    assert copy["account"]["username"] == user.username
    for written in ("viewing", "note", "list", "key", "event"):
        assert f"{MARK} {written}" in text
    assert copy["rows"]["catalog.MovieListItem"][0]["movie__title"]
    for secret in (user.api_keys.get().hash, user.hook.hash, user.password, "Of another.", str(user.pseudonym.number)):
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
    assert LogEntry.objects.count() == 1  # the staff's action on the account


def _count(name: str, pk: int) -> int:
    label, _, field = name.rpartition(".")
    return apps.get_model(label)._base_manager.filter(**{field: pk}).count()
