"""Operations that Django has not."""

from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class InheritFromJob(Operation):
    """Tells the state of the migrations that the model has become a child of `catalog.Job`. The tables stay."""

    reduces_to_sql = False

    def __init__(self, name: str) -> None:
        self.name = name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.models[app_label, self.name.lower()].bases = ("catalog.job",)
        state.reload_model(app_label, self.name.lower())

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    database_backwards = database_forwards

    def describe(self) -> str:
        return f"Make {self.name} a kind of job"


def check_constraints(apps: Any, schema_editor: Any) -> None:
    """Postgres alters no table that has checks to come at the end of the transaction."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
