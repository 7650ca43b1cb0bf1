import pytest

from recommender.errors import RecommenderError
from recommender.models import ServedModel
from recommender.services import activate

pytestmark = pytest.mark.django_db


def slots() -> dict[str, tuple[int, str, str]]:
    return {row.slot: (row.version, row.algorithm, row.artifact) for row in ServedModel.objects.all()}


def test_the_first_activation_makes_a_champion_alone():
    activate(version=1, algorithm="ease", artifact="1-ease")
    assert slots() == {"champion": (1, "ease", "1-ease")}


def test_the_champion_becomes_the_previous_one():
    activate(version=1, algorithm="ease", artifact="1-ease")
    first_activated_at = ServedModel.objects.get().activated_at
    activate(version=2, algorithm="als", artifact="2-als")
    assert slots() == {"champion": (2, "als", "2-als"), "previous": (1, "ease", "1-ease")}
    assert ServedModel.objects.get(slot="previous").activated_at == first_activated_at


def test_rolling_back_swaps_the_two():
    for version, algorithm in [(1, "ease"), (2, "als"), (1, "ease")]:
        activate(version=version, algorithm=algorithm, artifact=f"{version}-{algorithm}")
    assert slots() == {"champion": (1, "ease", "1-ease"), "previous": (2, "als", "2-als")}


def test_activating_the_champion_again_keeps_the_previous_one():
    for version in (1, 2, 2):
        activate(version=version, algorithm="ease", artifact=f"{version}")
    assert slots() == {"champion": (2, "ease", "2"), "previous": (1, "ease", "1")}


@pytest.mark.parametrize("artifact", ["/etc", "../other", "a/../../b", "", "."])
@pytest.mark.wording
def test_an_artefact_outside_of_the_model_folder_is_refused(artifact):
    with pytest.raises(RecommenderError, match="inside MODEL_DIR"):
        activate(version=1, algorithm="ease", artifact=artifact)
    assert slots() == {}
