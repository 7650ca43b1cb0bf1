"""A refresh is also compared with the best of the recent champions."""

from datetime import timedelta

from django.utils import timezone

from mlops.evaluation.comparison import recent_champions
from mlops.evaluation.lineage import recipe_hash
from mlops.gate.versions import gate_input
from mlops.models import Promotion
from mlops.services import promote
from tests.audit_trail import trail
from tests.mlops.site import figures_beside_a_champion, make_version


def champions(*recipes: dict) -> list:
    versions = [make_version(**recipe) for recipe in recipes]
    for version in versions:
        promote(version=version.pk)
    return versions


def chosen(value: float) -> dict:
    return {"algorithm": "ease", "parameters": {}, "chosen": {"regularization": value}}


def test_one_version_of_each_further_recipe_is_judged_again(alice, quick):
    first, _, third, current = champions(chosen(1.0), chosen(2.0), chosen(2.0), chosen(3.0))

    assert recent_champions(current, recipe_hash("ease", {"regularization": 9.0})) == [third, first]
    assert recent_champions(current, recipe_hash("ease", {"regularization": 2.0})) == [first]


def test_only_as_many_recent_champions_as_policy_says_count(alice, quick):
    *_, current = champions(*(chosen(float(n)) for n in range(1, 7)))
    candidate = recipe_hash("ease", {"regularization": 99.0})

    assert [version.chosen["regularization"] for version in recent_champions(current, candidate)] == [5.0, 4.0, 3.0]
    trail(Promotion).exclude(version=current).update(promoted_at=timezone.now() - timedelta(days=91))
    assert recent_champions(current, candidate) == []


def figures(ndcg_of_recent: float) -> dict:
    found = figures_beside_a_champion(sample=[])
    recent = found["models"]["champion"]["summary"] | {"ndcg": ndcg_of_recent}
    found["models"] = found["models"] | {"champion_3": {"summary": recent, "slices": {}}}
    found["differences"] = found["differences"] | {"champion_3": found["differences"]["champion"] | {"low": -0.5}}
    return found


def test_the_gate_gets_the_best_recent_champion(alice, quick):
    champion = make_version()
    better = gate_input(make_version(figures=figures(0.25)), champion)
    worse = gate_input(make_version(figures=figures(0.15)), champion)

    assert (better.recent_best, better.against_recent_best.low) == (3, -0.5)
    assert (worse.recent_best, worse.against_recent_best) == (None, None)
