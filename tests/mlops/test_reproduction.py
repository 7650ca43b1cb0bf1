import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlops.data.validation import frames_as_of
from mlops.errors import VersionNotFound
from mlops.evaluation.lineage import BLAS_KERNEL, code_revision, fitting_libraries, recipe_hash
from mlops.models import ModelVersion
from mlops.services import export_snapshot, reproduce_version
from recommender.estimators import ESTIMATORS, Dataset, artifact_checksum
from tests.artefact_files import replace_array
from tests.mlops.site import fill_catalogue, make_version

PARAMETERS = {"regularization": 20}


@pytest.fixture
def version(db, quick, settings) -> ModelVersion:
    """Fitted as a training fits, on an exported snapshot."""
    fill_catalogue()
    row = make_version(
        snapshot=export_snapshot(),
        algorithm="ease",
        parameters=PARAMETERS,
        config_hash=recipe_hash("ease", PARAMETERS),
        code_revision=code_revision(),
        libraries=fitting_libraries(),
        threads=1,
        artifact="whole",
    )
    dataset = Dataset.from_frames(
        *frames_as_of(row.snapshot, row.created_at), settings.POLICY.training.implicit_threshold
    )
    with threadpool_limits(limits=1, user_api="blas"):
        ESTIMATORS["ease"](random_state=0, **PARAMETERS).fit(dataset).save(settings.MODEL_DIR / "whole")
    row.artifact_checksum = artifact_checksum(settings.MODEL_DIR / "whole")
    row.save()
    return row


@pytest.mark.ml_test("I1")
def test_a_version_is_made_again_byte_for_byte(version, settings):
    found = reproduce_version(version=version.pk)

    assert found.is_same, found.sentence
    assert found.checksum == version.artifact_checksum
    version.refresh_from_db()
    assert version.reproduction["sentence"] == f"Version {version.pk} was made again, byte for byte: {found.checksum}."
    assert not list(settings.MODEL_DIR.glob(".reproduce-*"))


def test_what_differs_is_said_with_how_much_and_why(version, settings):
    folder = settings.MODEL_DIR / version.artifact
    name = next(path.name for path in folder.glob("*.npy") if np.load(path).dtype == np.float32)
    values = np.load(folder / name)
    values.flat[0] += 0.25
    replace_array(folder, name, values)
    version.artifact_checksum = artifact_checksum(folder)
    version.code_revision = "0123abc"
    version.libraries |= {"numpy": "1.26.4", BLAS_KERNEL: "Prescott"}
    version.save()

    found = reproduce_version(version=version.pk)

    assert not found.is_same
    assert f"{name} by at most 0.25" in found.differences
    assert any("of the movies in" in text for text in found.differences)
    assert f"numpy is {np.__version__}, it was 1.26.4" in found.reasons
    assert f"BLAS kernel is {fitting_libraries()[BLAS_KERNEL]}, it was Prescott" in found.reasons
    assert any("it was 0123abc" in reason for reason in found.reasons)


def test_other_settings_are_named(version, settings):
    settings.TMDB_METADATA_IN_TRAINING = True
    version.artifact_checksum = "0" * 64
    version.artifact_removed_at = version.created_at
    version.save()

    found = reproduce_version(version=version.pk)

    assert "by how much cannot be said" in found.sentence
    assert any(reason.startswith("the configuration") for reason in found.reasons)


def test_a_version_that_is_not_there_is_said_so(db, quick):
    with pytest.raises(VersionNotFound):
        reproduce_version(version=1)
