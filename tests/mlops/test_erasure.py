import pytest
from django.urls import reverse

from catalog.signals import provider_purged
from mlops.data.snapshots import read_snapshot
from mlops.errors import AlreadyWithdrawn, ReasonRequired, SnapshotNotAvailable, SnapshotNotFound, StepFailed
from mlops.models import DatasetSnapshot
from mlops.services import export_snapshot, reproduce_version, start_training, withdraw_snapshot
from tests.factories import UserFactory
from tests.mlops.site import make_snapshot, make_version


def withdraw(snapshot: DatasetSnapshot, commit, **options) -> DatasetSnapshot:
    with commit(execute=True):
        return withdraw_snapshot(snapshot=snapshot.pk, **{"reason": "It must go."} | options)


def test_a_withdrawn_snapshot_is_gone_and_says_why(alice, sam, quick, settings, django_capture_on_commit_callbacks):
    snapshot = export_snapshot()
    version = make_version(snapshot=snapshot)

    row = withdraw(snapshot, django_capture_on_commit_callbacks, by=sam, reason="A court said so.")

    assert (row.withdrawn_by, row.withdrawn_reason) == (sam, "A court said so.")
    assert not (settings.SNAPSHOT_DIR / snapshot.folder).exists()
    with pytest.raises(SnapshotNotAvailable, match="A court said so"):
        read_snapshot(row)
    with pytest.raises(SnapshotNotAvailable):
        start_training(trigger="command", snapshot=snapshot.content_hash[:8])
    with pytest.raises(SnapshotNotAvailable, match="A court said so"):
        reproduce_version(version=version.pk)


def test_the_same_data_does_not_come_back_by_another_export(alice, quick, settings, django_capture_on_commit_callbacks):
    withdraw(export_snapshot(), django_capture_on_commit_callbacks)

    with pytest.raises(StepFailed):
        export_snapshot()

    assert not list(settings.SNAPSHOT_DIR.iterdir())
    alice.ratings.first().delete()
    assert export_snapshot().withdrawn_at is None


def test_what_cannot_be_withdrawn_is_said(db, quick):
    snapshot = make_snapshot()
    with pytest.raises(ReasonRequired):
        withdraw_snapshot(snapshot=snapshot.pk, reason=" ")
    withdraw_snapshot(snapshot=snapshot.pk, reason="x")
    with pytest.raises(AlreadyWithdrawn):
        withdraw_snapshot(snapshot=snapshot.pk, reason="x")
    with pytest.raises(SnapshotNotFound):
        withdraw_snapshot(snapshot=10**6, reason="x")


def test_purging_a_provider_removes_snapshots_with_its_data(db, quick):
    with_it, without = make_snapshot(sources=["site", "tmdb"]), make_snapshot(sources=["site"])

    provider_purged.send(sender=None, source="tmdb")

    with_it.refresh_from_db()
    without.refresh_from_db()
    assert with_it.withdrawn_reason == "The data of TMDB was purged from the site."
    assert without.withdrawn_at is None


@pytest.mark.wording
def test_withdrawing_in_the_admin_asks_for_a_reason(client, sam, alice, quick):
    version = make_version(snapshot=export_snapshot())
    address = reverse("admin:mlops_datasetsnapshot_withdraw", args=[version.snapshot.pk])
    client.force_login(sam)

    assert f"version {version}" in client.get(address).content.decode()
    assert "reason" in client.post(address, {"reason": ""}).context["form"].errors
    page = client.post(address, {"reason": "terms ended"}, follow=True).content.decode()

    assert "terms ended" in page
    assert "can no longer be reproduced" in page
    page = client.get(reverse("admin:mlops_modelversion_change", args=[version.pk])).content.decode()
    assert "can no longer be reproduced" in page
    page = client.get(reverse("admin:mlops_datasetsnapshot_change", args=[version.snapshot.pk])).content.decode()
    assert ">Withdraw<" not in page


def test_withdrawing_takes_its_permission(client, db, quick):
    client.force_login(UserFactory(is_staff=True))
    snapshot = make_snapshot()

    assert (
        client.post(reverse("admin:mlops_datasetsnapshot_withdraw", args=[snapshot.pk]), {"reason": "me"}).status_code
        == 403
    )
