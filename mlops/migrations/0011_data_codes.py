"""Turns the sentences of earlier data checks into codes: reasons of quarantined rows, reports of snapshots and runs."""

import re
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RULES = {
    "rating is not finite": "rating.not_finite",
    "rating is not one of 0.5 to 5 in halves": "rating.not_in_steps",
    "rating of an unknown movie": "rating.unknown_movie",
    "rated in the future": "rating.in_future",
    "a user rated a movie twice": "rating.duplicate",
    "a movie is there twice": "movie.duplicate",
    "release date is not from 1870 to 2200": "movie.implausible_date",
    "a genre is not in the vocabulary": "movie.unknown_genre",
    "language is no ISO 639-1 code": "movie.unknown_language",
}
MATRIX = {
    "an entry outside of the matrix": "matrix.outside",
    "a user without an entry": "matrix.empty_user",
    "an entry is not finite": "matrix.not_finite",
    "a user and a movie are there twice": "matrix.duplicate",
}
COLUMN = re.compile(r"(\w+): (missing|expected dtype\(.*\))")
BAD_ROWS = re.compile(r"(\d+) of (\d+) rows are bad, more than the allowed share of ([^:]+): .*", re.DOTALL)
NULL_SHARE = re.compile(r"([\d.]+)% of the movies with metadata have no (.+), more than the allowed ([\d.]+)% \(.*")
SHRINKAGE = re.compile(r"there are (\d+) (\w+), less than (\S+) of the (\d+) of the last snapshot that passed \(.*")
COUNT = re.compile(r"(\d+) entries for (\d+) ratings")


def give_codes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("mlops", "QuarantinedRow").objects
    for pk, reasons in rows.values_list("pk", "reasons").iterator():
        rows.filter(pk=pk).update(reasons=[rule_code(reason) for reason in reasons])
    snapshots = apps.get_model("mlops", "DatasetSnapshot").objects
    for pk, report in snapshots.values_list("pk", "check_report").iterator():
        snapshots.filter(pk=pk).update(check_report=with_codes(report))
    steps = apps.get_model("mlops", "RunStep").objects.filter(name="checks")
    for pk, figures in steps.values_list("pk", "figures").iterator():
        steps.filter(pk=pk).update(figures=with_codes(figures))
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="mlops")
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_usersurrogate").update(
            codename=f"{action}_userpseudonym", name=f"Can {action} user pseudonym"
        )


def rule_code(sentence: str) -> str:
    """The code; the sentence itself where it is unknown."""
    if found := COLUMN.fullmatch(sentence):
        return f"column.{'missing' if found[2] == 'missing' else 'wrong_type'}:{found[1]}"
    return RULES.get(sentence, sentence)


def with_codes(report: dict[str, Any]) -> dict[str, Any]:
    coded = {rule_code(name): value for name, value in report.items()}
    if "problems" in coded:
        coded["problems"] = [problem(text) if isinstance(text, str) else text for text in coded["problems"]]
    return coded


def problem(text: str) -> dict[str, Any]:
    """A finding's row."""
    if found := BAD_ROWS.fullmatch(text):
        n_bad, n_rows = int(found[1]), int(found[2])
        return row("data.bad_rows", n_bad / max(n_rows, 1), float(found[3]), params={"n_bad": n_bad, "n_rows": n_rows})
    if found := NULL_SHARE.fullmatch(text):
        subject = found[2].replace(" ", "_")
        return row("data.null_share", float(found[1]) / 100, float(found[3]) / 100, subject=subject)
    if found := SHRINKAGE.fullmatch(text):
        before, ratio = int(found[4]), float(found[3])
        params = {"before": before, "ratio": ratio}
        return row("data.shrinkage", int(found[1]), ratio * before, params=params, subject=f"data.{found[2]}")
    matrix = text.removeprefix("training matrix: ")
    if found := COUNT.fullmatch(matrix):
        return row("matrix.count", int(found[1]), int(found[2]))
    if matrix in MATRIX:
        return row(MATRIX[matrix])
    return row("legacy", params={"name": text, "text": text})


def row(
    code: str,
    figure: float | None = None,
    threshold: float | None = None,
    *,
    params: dict[str, Any] | None = None,
    subject: str = "",
) -> dict[str, Any]:
    common = {"code": code, "outcome": "failed", "figure": figure, "threshold": threshold, "interval": None}
    return common | {"params": params or {}, "message": "", "subject": subject}


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mlops", "0010_user_pseudonym"),
    ]

    operations = [migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True)]
