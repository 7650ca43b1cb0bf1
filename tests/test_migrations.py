"""Migrations of a new database and of one from an earlier version."""

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def changes(before: ProjectState, after: ProjectState) -> dict:
    return MigrationAutodetector(before, after).changes(graph=MigrationLoader(None).graph)


def test_both_ways_end_with_the_same_models():
    one_by_one = MigrationLoader(None, replace_migrations=False).project_state()
    at_once = MigrationLoader(None).project_state()
    assert changes(one_by_one, at_once) == {}
    assert changes(at_once, ProjectState.from_apps(apps)) == {}


def test_a_squashed_migration_replaces_all_before_it():
    one_by_one = MigrationLoader(None, replace_migrations=False)
    for (app, name), squashed in one_by_one.disk_migrations.items():
        if squashed.replaces and app in ("catalog", "mlops", "recommender"):
            [last] = [key for key in squashed.replaces if key[1] == name.partition("_squashed_")[2]]
            assert set(squashed.replaces) == {key for key in one_by_one.graph.forwards_plan(last) if key[0] == app}
