"""Bad rows are detected, quarantined, shown, released, and deleted with the account."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from catalog.models import Rating
from mlops.data.codes import DataProblem, RowRule
from mlops.data.validation import frames_as_of
from mlops.errors import NotReleasable, ReasonRequired, StepFailed
from mlops.models import DatasetSnapshot, QuarantinedRow
from mlops.services import export_snapshot, release, validate_snapshot
from movierec.policy import load_policy
from tests.factories import UserFactory
from tests.mlops.site import make_snapshot, write_policy

FUTURE = RowRule.IN_FUTURE


@pytest.fixture
def lax(quick, settings, tmp_path) -> None:
    settings.POLICY = load_policy(write_policy(tmp_path / "lax.yaml", data_checks={"max_bad_share": 0.5}))


@pytest.fixture
def snapshot(alice, bob, lax) -> DatasetSnapshot:
    """One of alice's ten ratings is of next month."""
    Rating.objects.filter(pk=alice.ratings.last().pk).update(rated_at=timezone.now() + timedelta(days=30))
    return export_snapshot()


def validate(snapshot: DatasetSnapshot):
    return validate_snapshot(snapshot=snapshot.content_hash)[1]


def test_a_bad_row_is_kept_with_its_reason_once(snapshot, alice):
    assert validate(snapshot).n_bad == 1
    validate(snapshot)

    row = QuarantinedRow.objects.get()
    assert (row.kind, row.reasons, row.snapshot) == ("rating", [FUTURE], snapshot)
    assert (row.content["user_id"], row.user.user) == (alice.pseudonym.number, alice)
    snapshot.refresh_from_db()
    assert (snapshot.checks, snapshot.check_report["bad_rows"]) == ("passed", 1)


def test_a_released_row_trains_again_and_history_is_kept(snapshot, sam):
    validate(snapshot)
    before = timezone.now()

    assert release(rows=[QuarantinedRow.objects.get().pk], by=sam, reason="the clock was wrong") == 1

    assert validate(snapshot).n_bad == 0
    row = QuarantinedRow.objects.get()
    assert (row.released_by, row.release_reason) == (sam, "the clock was wrong")
    assert (len(frames_as_of(snapshot, before)[0]), len(frames_as_of(snapshot, timezone.now())[0])) == (11, 12)


def test_a_release_holds_until_the_row_changes(snapshot, sam, alice):
    validate(snapshot)
    release(rows=[QuarantinedRow.objects.get().pk], by=sam, reason="yes")
    Rating.objects.filter(rated_at__gt=timezone.now()).update(rated_at=timezone.now() + timedelta(days=60))

    assert validate(export_snapshot()).n_bad == 1
    assert QuarantinedRow.objects.filter(released_at=None).count() == 1


def test_a_release_needs_a_reason_and_a_releasable_row(snapshot, sam):
    validate(snapshot)
    row = QuarantinedRow.objects.get()
    with pytest.raises(ReasonRequired):
        release(rows=[row.pk], by=sam, reason=" ")
    QuarantinedRow.objects.update(reasons=[FUTURE, RowRule.NOT_FINITE])
    with pytest.raises(NotReleasable):
        release(rows=[row.pk], by=sam, reason="please")
    assert not QuarantinedRow.objects.exclude(released_at=None).exists()


def test_an_account_takes_its_quarantined_rows_with_it(snapshot, alice):
    validate(snapshot)
    alice.delete()

    assert not QuarantinedRow.objects.exists()
    assert validate(snapshot).n_bad == 1
    assert not QuarantinedRow.objects.exists()


@pytest.mark.ml_test("D1")
def test_all_that_is_wrong_with_the_data_is_said_at_once(alice, quick, settings, tmp_path):
    policy = {"max_null_share": {"language": 0.0}}
    settings.POLICY = load_policy(write_policy(tmp_path / "strict.yaml", data_checks=policy))
    make_snapshot(n_ratings=1000, checks="passed", exported_at=timezone.now() - timedelta(days=1))
    Rating.objects.update(rated_at=timezone.now() + timedelta(days=30))
    alice.ratings.first().movie.__class__.objects.update(language="")
    snapshot = export_snapshot()

    with pytest.raises(StepFailed) as caught:
        validate(snapshot)

    snapshot.refresh_from_db()
    assert snapshot.checks == "failed"
    assert [(problem.key, problem.figure) for problem in snapshot.problems] == [
        (DataProblem.BAD_ROWS, 0.5),
        ("data.null_share:language", 1.0),
        ("data.shrinkage:data.ratings", 10),
    ]
    assert all(problem.sentence in str(caught.value) for problem in snapshot.problems)
    assert QuarantinedRow.objects.count() == 10


@pytest.mark.wording
def test_rows_are_shown_and_released_in_the_admin(client, sam, snapshot):
    validate(snapshot)
    row = QuarantinedRow.objects.get()
    client.force_login(sam)
    address = reverse("admin:mlops_quarantinedrow_changelist")
    chosen = {"action": "release_selected", "_selected_action": [row.pk]}

    assert str(FUTURE.label) in client.get(address).content.decode()
    page = client.get(reverse("admin:mlops_datasetsnapshot_change", args=[snapshot.pk])).content.decode()
    assert str(FUTURE.label) in page
    assert "Models will learn from these rows" in client.post(address, chosen).content.decode()
    assert "reason" in client.post(address, chosen | {"reason": " "}).context["form"].errors
    page = client.post(address, chosen | {"reason": "a time zone"}, follow=True).content.decode()

    assert "1 row has been released" in page
    row.refresh_from_db()
    assert (row.released_by, row.release_reason) == (sam, "a time zone")


def test_who_may_not_release_is_not_offered_to(client, snapshot, db):
    validate(snapshot)
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_quarantinedrow"))
    client.force_login(user)
    address = reverse("admin:mlops_quarantinedrow_changelist")

    assert "Release selected" not in client.get(address).content.decode()
    row = QuarantinedRow.objects.get()
    client.post(address, {"action": "release_selected", "_selected_action": [row.pk], "reason": "me"})
    row.refresh_from_db()
    assert row.released_at is None
