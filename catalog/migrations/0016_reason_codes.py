"""Turns the sentences about uploaded rows, files and TMDB's records into codes with params."""

import re
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 1000
SENTENCES = {
    "title.too_long": "the title is longer than {longest} characters",
    "year.invalid": "{text} is not the year of a movie",
    "imdb_id.invalid": "{text} is not an IMDb id; expected something like tt0133093",
    "rating.invalid": "{text} is not a rating above 0 and up to {out_of}",
    "flag.invalid": "{text} is neither yes nor no",
    "plays.invalid": "{text} is not a number of plays",
    "date.invalid": "{text} is not a date like 2024-01-31",
    "date.in_future": "{text} is not in the past",
    "value.invalid": "{text} is neither text nor a number",
    "id.invalid": "{text} is not a {what}",
    "row.columns": "{n} columns instead of {expected}",
    "row.no_identity": "neither a title nor an id",
    "row.unknown_type": "neither its type nor its year is known",
    "row.no_rating": "the rating is missing",
    "row.other_status": "its status is neither watched nor wanted",
    "row.silent": "nothing says that it was watched, rated or wanted",
    "match.not_found": "Not in the catalogue",
    "match.only_others": "Not in the catalogue, which has {movies}",
    "match.another_year": "Not in the catalogue, where {title} is the one from {year}",
    "match.no_year": "The year is missing; the catalogue has {movies}",
    "match.several": "Several movies fit: {movies}",
    "match.same_name": "The file has two movies with this name and year",
    "match.ids_differ": "Its ids belong to different movies: {movies}",
    "match.id_contradicted": "Its id is that of {movie}, which its title or year contradicts",
    "match.not_a_movie": "Not a movie: {type}",
    "tmdb.adult": "adult (tmdb.adult is false)",
    "tmdb.no_release": "not released before a known date (tmdb.unreleased is false)",
    "tmdb.unreleased": "not released before {day} (tmdb.unreleased is false)",
    "tmdb.merged": "merged into {tmdb_id}",
    "tmdb.ignored": "details ignored: {n} ({details})",
    "tmdb.bug": "This site failed: {error}",
}
PATTERNS = {
    code: re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)
    for code, sentence in SENTENCES.items()
}
NUMBERS = {"longest", "out_of", "n", "expected", "year", "tmdb_id"}


def coded(text: str, unknown: tuple[str, str] = ("legacy", "text")) -> list[list[Any]]:
    """Codes of several sentences that were joined, or of one; `unknown`: the code and param for others."""
    parts = [_known(part) for part in text.split("; ")] if text else []
    if not all(parts):
        code, param = unknown
        parts = [_known(text) or [code, {param: text}]]
    return [part for part in parts if part]


def _known(text: str) -> list[Any] | None:
    for code, pattern in PATTERNS.items():
        if found := pattern.fullmatch(text.removesuffix(".")):
            params = found.groupdict()
            return [code, {name: _number(value) if name in NUMBERS else value for name, value in params.items()}]
    return None


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else text


def with_parts(report: dict[str, Any]) -> dict[str, Any]:
    """What each file was taken for as pairs of a label and whether it is used."""
    for file in report.get("files", []):
        if "taken_for" in file:
            label = file.pop("taken_for")
            file["parts"] = [[label.removeprefix("not used: "), not label.startswith("not used")]]
    return report


def give_codes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("catalog", "ImportRow").objects.exclude(reason="", note="")
    _update(rows, lambda row: {"reasons": coded(row.reason), "ignored": coded(row.note)})
    records = apps.get_model("catalog", "TMDBRecord").objects.exclude(reason="")
    _update(records, lambda record: {"reasons": coded(record.reason, unknown=("tmdb.provider", "error"))})
    imports = apps.get_model("catalog", "UserImport").objects.defer("content").exclude(report={})
    _update(imports, lambda user_import: {"report": with_parts(user_import.report)})


def _update(rows: Any, values_of: Any) -> None:
    changed, names = [], []
    for row in rows.order_by("pk").iterator(BATCH):
        values = values_of(row)
        names = list(values)
        for name, value in values.items():
            setattr(row, name, value)
        changed.append(row)
        if len(changed) == BATCH:
            rows.model.objects.bulk_update(changed, names)
            changed.clear()
    if changed:
        rows.model.objects.bulk_update(changed, names)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0015_job_uptime")]

    operations = [
        migrations.AddField(
            "importrow",
            "ignored",
            models.JSONField(default=list, help_text="Details that were ignored, as codes."),
        ),
        migrations.AddField(
            "importrow",
            "reasons",
            models.JSONField(default=list, help_text="Why there is no movie, as codes."),
        ),
        migrations.AddField(
            "tmdbrecord",
            "reasons",
            models.JSONField(blank=True, default=list, help_text="Why it is not in the catalogue, as codes."),
        ),
        migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("importrow", "note"),
        migrations.RemoveField("importrow", "reason"),
        migrations.RemoveField("tmdbrecord", "reason"),
    ]
