"""Delivers a model from the host that trained it to the site that serves it, through a folder and through S3."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Genre, Movie
from mlops.backup.checksums import OWN as OWN_SUMS
from mlops.backup.checksums import SUMS, read_checksums, write_checksums
from mlops.data.snapshot_files import OWN, _checksum
from mlops.delivery import transfer
from mlops.delivery.fetch import fetch_versions
from mlops.errors import ForeignCatalogue, NotPromotable, PackageError
from mlops.gate.codes import Rule
from mlops.gate.rules import decide
from mlops.models import DatasetSnapshot, GateDecision, ModelVersion, PipelineRun, Promotion
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.codes import AutoRollbackCode
from mlops.registry.promotion import promote
from mlops.services import export_snapshot, push_data
from mlops.tasks import auto_rollback
from recommender.estimators import artifact_checksum
from recommender.estimators.artifact_files import sha256
from recommender.models import ServedModel
from tests.artefact_files import flip_bit
from tests.audit_trail import trail
from tests.mlops.conftest import use_policy
from tests.mlops.site import fill_catalogue, make_version, write_policy
from tests.mlops.test_auto_rollback import count
from tests.mlops.test_gate import POLICY, REFRESH, failed

FIRST_MOVIE = 500_000  # of the ids, far from those of other movies
BUCKET = "s3://backups/models"
FEW_USERS = {"min_users": 10, "replay_latency_floor_ms": 1000}


def call(name: str, *args: object, **options: object) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue().strip()


def forget_models(settings) -> None:
    """Makes this another host with the same movies: no models, no snapshots, no files."""
    ServedModel.objects.all().delete()
    for model in (Promotion, GateDecision, ModelVersion, PipelineRun, DatasetSnapshot):
        trail(model).all().delete()
    empty_disk(settings)


def empty_disk(settings) -> None:
    for folder in (settings.MODEL_DIR, settings.SNAPSHOT_DIR):
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """Where the first test that takes a package leaves it for the others."""
    return tmp_path_factory.mktemp("exported")


@pytest.fixture
def package(transactional_db, quick, exported, settings, tmp_path) -> str:
    """Of a model that another host has trained, on movies with the ids that they have here."""
    fill_catalogue(first=FIRST_MOVIE)
    if not list(exported.iterdir()):
        call("train_model")
        call("export_model", to=str(exported))
        forget_models(settings)
    empty_disk(settings)
    [address] = shutil.copytree(exported, tmp_path / "store").iterdir()
    return str(address)


def test_a_package_is_checked_gated_promoted_and_then_done(package, settings, tmp_path):
    checksum = artifact_checksum(Path(package) / "model")
    report = tmp_path / "report.md"

    call("import_model", package, report=report)

    version = ModelVersion.champion()
    assert version is not None and version.artifact_checksum == checksum
    assert version.decisions.get().outcome == GateDecision.Outcome.PASSED
    assert all(version.figures["smoke_test"]["checks"].values())
    assert ServedModel.champion().checksum == checksum
    assert not any(path.stat().st_mode & 0o222 for path in (settings.MODEL_DIR / version.artifact).iterdir())
    assert report.read_text().count("\n|") > 20
    assert checksum in (Path(package) / "README.md").read_text(encoding="utf-8")

    call("import_model", package)
    assert ModelVersion.objects.count() == GateDecision.objects.count() == Promotion.objects.count() == 1


def test_the_data_is_as_old_as_where_it_came_from(package, settings):
    shutil.rmtree(package)
    call_command("train_model", stdout=StringIO())
    old = timezone.now() - timedelta(hours=60)
    DatasetSnapshot.objects.update(exported_at=old)
    address = call("export_model", to=str(Path(package).parent))
    forget_models(settings)

    with pytest.raises(CommandError):
        call("import_model", address)

    [failed] = [rule for rule in GateDecision.objects.get().findings if rule.outcome == "failed"]
    assert (failed.code, round(failed.figure)) == ("gate.data_age_hours", 60)
    assert ModelVersion.champion() is None
    with pytest.raises(CommandError):  # a refusal is not forgotten
        call("import_model", address)
    assert GateDecision.objects.count() == 1


@pytest.mark.parametrize("name", ["version.json", "snapshot/ratings.parquet", "model/manifest.json"])
def test_a_flipped_bit_lets_nothing_in(package, name):
    flip_bit(Path(package) / name)

    with pytest.raises(PackageError, match=name):
        transfer.import_version(address=package)

    assert not ModelVersion.objects.exists() and not DatasetSnapshot.objects.exists()


def test_a_store_is_no_package(package):
    with pytest.raises(PackageError, match="is not a package"):
        transfer.import_version(address=str(Path(package).parent))


def test_a_model_of_another_catalogue_is_refused(package):
    Movie.objects.update(title="Another movie")

    with pytest.raises(ForeignCatalogue):
        transfer.import_version(address=package)

    assert not ModelVersion.objects.exists()


def test_a_few_mended_titles_make_no_other_catalogue(package):
    Movie.objects.filter(pk__in=Movie.objects.values("pk")[:5]).update(title="Mended")

    version, _ = transfer.import_version(address=package)

    assert version.status == ModelVersion.Status.CHAMPION


@pytest.mark.parametrize(("of_champion", "wins"), [(["movielens", "site"], False), (["movielens"], True)])
def test_a_sample_never_replaces_live_data(package, settings, tmp_path, of_champion, wins):
    use_policy(settings, write_policy(tmp_path / "config.yaml", gate=FEW_USERS))
    live = make_version(algorithm="popularity")
    DatasetSnapshot.objects.filter(pk=live.snapshot_id).update(sources=of_champion)
    promote(version=live.pk)
    manifest_sources(package, ["movielens", "tmdb"])

    version, decision = transfer.import_version(address=package)

    assert ("gate.origin" in {rule.code for rule in decision.against}) is not wins
    assert (ModelVersion.champion() == live) is not wins
    if not wins:
        assert version.status == ModelVersion.Status.REFUSED
        with pytest.raises(NotPromotable):
            promote(version=version.pk)


@pytest.mark.parametrize(("sample", "champion", "outcome"), [(1, 0, "refused"), (1, 1, "passed"), (0, 0, "passed")])
def test_a_sample_is_no_ground_to_replace_live_data(sample, champion, outcome):
    given = replace(REFRESH, is_sample=bool(sample), champion_is_sample=bool(champion))

    assert decide(given, POLICY).outcome == outcome
    assert (failed(given) == [Rule.ORIGIN]) is (outcome == "refused")


def manifest_sources(package: str, sources: list[str]) -> None:
    """Says in a package where its ratings are from, as the host that wrote it would have."""
    file = Path(package) / "snapshot" / "snapshot.json"
    manifest = json.loads(file.read_text()) | {"sources": sources}
    manifest.pop(OWN)
    file.write_text(json.dumps(manifest | {OWN: _checksum(manifest)}))
    sums = read_checksums(*((Path(package) / name).read_bytes() for name in (SUMS, OWN_SUMS)))
    write_checksums(Path(package), sums | {"snapshot/snapshot.json": sha256(file)})


def test_policy_may_leave_the_promotion_to_a_person(package, settings, tmp_path):
    policy = write_policy(tmp_path / "config.yaml", gate=FEW_USERS, promotion={"automatic": False})
    use_policy(settings, policy)
    first = make_version(algorithm="popularity")
    promote(version=first.pk)

    version, decision = transfer.import_version(address=package)

    assert decision.outcome == GateDecision.Outcome.PASSED
    assert (version.status, ModelVersion.champion()) == (ModelVersion.Status.CANDIDATE, first)
    assert "waits for a person" in call("import_model", package)


@pytest.mark.once
def test_an_empty_host_fetches_what_it_serves(rated_site, bucket, settings):
    settings.MODEL_STORE = BUCKET
    versions = [make_version(snapshot=export_snapshot()), make_version(snapshot=export_snapshot())]
    addresses = set()
    for version in versions:
        promote(version=version.pk)
        addresses.add(call("export_model"))
    assert call("export_model") in addresses  # and nothing is uploaded twice
    empty_disk(settings)

    call("prepare_host", verbosity=0)
    assert "here already" in call("fetch_models")
    call("rollback_model")
    assert ModelVersion.champion() == versions[0]

    empty_disk(settings)
    key = next(row.key for row in bucket.objects.all() if row.key.endswith(".npy"))
    content = bytearray(bucket.Object(key).get()["Body"].read())
    content[-1] ^= 1
    bucket.put_object(Key=key, Body=bytes(content))
    with pytest.raises(PackageError, match="is damaged"):
        fetch_versions()


@pytest.fixture
def failing_champion(rated_site, bucket, settings) -> list[ModelVersion]:
    """The version before and the failing one, on a worker that has the files of neither."""
    settings.MODEL_STORE = BUCKET
    versions = [make_version(), make_version()]
    for version in versions:
        promote(version=version.pk)
        call("export_model")
    count(versions[1], 60, 140)
    empty_disk(settings)
    return versions


@pytest.mark.once
def test_a_worker_without_files_fetches_them_to_roll_back(failing_champion, settings):
    before, failing = failing_champion

    assert auto_rollback() == {"version": failing.pk, "rolled_back_to": before.pk}
    assert artifact_checksum(settings.MODEL_DIR / before.artifact) == before.artifact_checksum


@pytest.mark.once
def test_a_store_that_lacks_the_files_leaves_an_alert(failing_champion, bucket):
    bucket.objects.delete()

    assert auto_rollback()["rolled_back_to"] is None
    assert ModelVersion.champion() == failing_champion[1]
    [alert] = open_alerts()
    assert alert.findings[-1]["code"] == AutoRollbackCode.REFUSED


def test_without_a_store_nothing_is_exported(rated_site):
    with pytest.raises(CommandError):
        call("export_model")
    promote(version=make_version().pk)
    with pytest.raises(CommandError, match="MODEL_STORE"):
        call("export_model")


@pytest.mark.once
def test_a_host_with_the_remote_alone_trains(rated_site, settings, tmp_path):
    settings.DVC_DIR, settings.DVC_REMOTE_URL = tmp_path, str(tmp_path / "remote")
    call("train_model")
    PipelineRun.objects.update(trigger="scheduled")
    latest = DatasetSnapshot.objects.get().folder
    push_data()
    forget_models(settings)
    Movie.objects.all().delete()
    Genre.objects.all().delete()

    folder = call("restore_data", latest=True)

    assert folder == str(settings.SNAPSHOT_DIR / latest)
    call("train_model", snapshot=folder)
    assert ModelVersion.champion() is not None
