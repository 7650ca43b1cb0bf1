"""Tests that the upgrade benchmark takes its steps from the document."""

import pytest

from benchmarks.chaos.processes import ROOT
from benchmarks.upgrade.operator import BY_HAND, commands


@pytest.mark.parametrize("section", ["SQLite (`make run`)", "Postgres"])
def test_the_document_has_every_step_in_order(section):
    upgrade, way_back = (commands(ROOT, section, number) for number in (0, 1))

    by_hand = [found[1] for found in map(BY_HAND.match, upgrade + way_back) if found]
    assert by_hand[0] == "Stop" and BY_HAND.match(way_back[0])[1] == "Stop"
    order = [line.split()[-1] for line in upgrade if line.split()[:2] in (["git", "checkout"], ["make", "setup"])]
    assert order == ["NEW", "setup"]
    migrations = [line for line in upgrade if "db upgrade" in line or "manage.py migrate" in line]
    assert len(migrations) == 2 and "mlflow" in migrations[0]
    assert any(line.startswith("git checkout ff2ac02") for line in way_back)
    for lines in (upgrade, way_back):
        assert lines[-1].startswith("curl --fail") and ("make run" in lines or BY_HAND.match(lines[-2])[1] == "Start")
