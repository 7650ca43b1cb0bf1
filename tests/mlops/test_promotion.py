import pytest

from mlops.errors import (
    ArtifactNotAvailable,
    NothingToRollBackTo,
    NotPromotable,
    NotRefusable,
    ReasonRequired,
    VersionNotFound,
)
from mlops.models import GateDecision, ModelVersion, Promotion
from mlops.models.versions import RowIsKept
from mlops.services import promote, refuse, roll_back
from recommender.models import ServedModel
from tests.artefact_files import overwrite
from tests.mlops.site import make_version, rule


def champion() -> int | None:
    row = ModelVersion.objects.filter(status="champion").first()
    served = ServedModel.objects.filter(slot="champion").first()
    assert (row.pk if row else None) == (served.version if served else None)
    return row.pk if row else None


@pytest.fixture
def three(alice, quick) -> list[int]:
    """Three versions that passed, promoted one after the other."""
    versions = [make_version().pk for _ in range(3)]
    for version in versions:
        promote(version=version)
    return versions


def test_a_promotion_changes_rows_pointer_and_audit_together(alice, sam, quick):
    first, second = make_version(), make_version()
    promote(version=first.pk)

    promotion = promote(version=second.pk, by=sam, reason="better lists")

    first.refresh_from_db()
    assert (champion(), first.status) == (second.pk, "former")
    assert (promotion.previous, promotion.kind, promotion.promoted_by) == (first, "promoted", sam)
    assert promotion.reason == "better lists"
    assert ServedModel.objects.get(slot="previous").version == first.pk


@pytest.mark.parametrize("decision", ["refused", "not_enough_evidence"])
def test_a_model_that_did_not_pass_is_not_promoted(alice, quick, decision):
    rules = [rule("Too slow.", decision.replace("refused", "failed"))]
    version = make_version(decision=decision, rules=rules)

    with pytest.raises(NotPromotable, match="Too slow"):
        promote(version=version.pk)

    assert champion() is None
    assert not Promotion.objects.exists()


def test_what_was_not_judged_is_not_promoted(alice, quick):
    with pytest.raises(NotPromotable):
        promote(version=make_version(decision=None).pk)


def test_force_needs_a_reason_and_is_on_record(alice, sam, quick):
    version = make_version(decision="refused")

    with pytest.raises(ReasonRequired):
        promote(version=version.pk, by=sam, force=True, reason="  ")
    promotion = promote(version=version.pk, by=sam, force=True, reason="the champion is broken")

    assert (champion(), promotion.kind, promotion.reason) == (version.pk, "forced", "the champion is broken")


@pytest.mark.wording
def test_a_version_without_whole_files_never_goes_live(alice, quick, settings):
    version = make_version()
    manifest = settings.MODEL_DIR / version.artifact / "manifest.json"
    array = next((settings.MODEL_DIR / version.artifact).glob("*.npy"))

    whole = array.read_bytes()
    overwrite(array, whole[:-1])
    with pytest.raises(ArtifactNotAvailable, match=r"checksum of .* does not match"):
        promote(version=version.pk, force=True, reason="try")
    overwrite(array, whole)
    overwrite(manifest, manifest.read_bytes() + b"\n")
    with pytest.raises(ArtifactNotAvailable, match="checksum does not match the registered checksum"):
        promote(version=version.pk)
    manifest.unlink()
    with pytest.raises(ArtifactNotAvailable, match=r"manifest\.json is missing"):
        promote(version=version.pk)
    assert champion() is None


def test_the_champion_is_not_promoted_again(three):
    with pytest.raises(NotPromotable):
        promote(version=three[2])


def test_an_unknown_version_is_said_so(db, quick):
    with pytest.raises(VersionNotFound):
        promote(version=7)


@pytest.mark.ml_test("I7")
def test_rolling_back_can_be_repeated(three):
    first, second, third = three

    assert roll_back(reason="odd lists").version_id == second
    assert roll_back().version_id == first
    assert champion() == first
    with pytest.raises(NothingToRollBackTo):
        roll_back()
    kinds = list(Promotion.objects.values_list("version", "previous", "kind")[:2])
    assert kinds == [(first, second, "rolled_back"), (second, third, "rolled_back")]


def test_rolling_back_skips_versions_whose_files_are_gone(three):
    ModelVersion.objects.filter(pk=three[1]).update(artifact_removed_at="2026-01-01T00:00Z")

    assert roll_back().version_id == three[0]


@pytest.mark.ml_test("I7")
def test_rolling_back_to_a_named_champion(three):
    assert roll_back(to=three[0]).version_id == three[0]
    assert champion() == three[0]


def test_there_is_no_way_back_to_what_never_was_champion(three):
    with pytest.raises(NotPromotable):
        roll_back(to=make_version().pk)


def test_without_a_champion_there_is_nothing_to_roll_back(db, quick):
    with pytest.raises(NothingToRollBackTo):
        roll_back()


def test_a_former_champion_can_be_promoted_again(three):
    promote(version=three[0])

    assert champion() == three[0]
    assert ModelVersion.objects.filter(status="champion").count() == 1


def test_rolling_back_a_former_champion_does_nothing(three):
    with pytest.raises(NotPromotable):
        roll_back(replacing=three[1])

    assert champion() == three[2]


def test_a_person_refuses_what_the_gate_passed(three, sam):
    version = make_version(rules=[rule("Fine.")])

    with pytest.raises(ReasonRequired):
        refuse(version=version.pk, by=sam, reason=" ")
    decision = refuse(version=version.pk, by=sam, reason="odd lists for children")

    version.refresh_from_db()
    assert (version.status, decision.outcome, decision.decided_by) == ("refused", "refused", sam)
    assert decision.reason == "odd lists for children"
    assert decision.reason in decision.sentence
    with pytest.raises(NotPromotable, match="odd lists for children"):
        promote(version=version.pk)
    with pytest.raises(NotRefusable):
        refuse(version=version.pk, by=sam, reason="again")
    with pytest.raises(NotRefusable):
        refuse(version=three[2], by=sam, reason="the champion")


@pytest.mark.parametrize("trail", [Promotion, GateDecision])
def test_what_is_on_record_cannot_be_changed_or_removed(three, trail):
    row = trail.objects.first()
    row.reason = "something else"

    for attempt in (
        row.save,
        row.delete,
        trail.objects.all().delete,
        lambda: trail.objects.update(reason="something else"),
        lambda: trail.objects.bulk_update([row], ["reason"]),
    ):
        with pytest.raises(RowIsKept):
            attempt()

    assert trail.objects.get(pk=row.pk).reason == ""


def test_the_record_outlives_the_account_that_acted(three, sam):
    promote(version=three[0], by=sam, reason="it was better")

    sam.delete()

    entry = Promotion.objects.first()
    assert (entry.promoted_by, entry.reason) == (None, "it was better")
