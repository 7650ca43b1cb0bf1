"""Adds codes and findings to alerts, retraining checks and promotions, and fills them from the sentences before.

A sentence that is not recognised is kept as the text of a finding with the message "legacy", and is shown as it is.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

LEGACY = "legacy"
Row = dict[str, Any]

DRIFT = {
    "rating distribution": "drift.rating_distribution",
    "source mix": "drift.source_mix",
    "new-user share": "drift.new_user_share",
    "new-movie share": "drift.new_movie_share",
    "genre mix": "drift.genre_mix",
    "score distribution": "drift.score_distribution",
    "activity": "drift.activity",
    "coverage shown": "drift.coverage",
    "diversity shown": "drift.diversity",
    "live quality": "drift.online_metrics",
}
RETRAINING = {
    "no champion": "retraining.no_champion",
    "new movies": "retraining.new_movies",
    "new ratings": "retraining.new_ratings",
    "fall of live quality": "retraining.online_metrics",
    "drift": "retraining.drift",
    "champion's age": "retraining.champion_age",
    "not-interested share": "retraining.not_interested",
}
ALERTS = {  # by subject
    "champion at work": "auto_rollback",
    "drift": "drift",
    "retraining": "retraining",
    "training": "training_failed",
    "dependency: the champion's libraries": "dependency.champion_libraries",
    "dependency: pinned libraries": "dependency.pinned_libraries",
    "dependency: TMDB": "dependency.tmdb",
    "serving inputs keep the rules of training data": "skew.inputs",
    "metadata is the same in training and serving": "skew.metadata",
    "served scores are those of the artefact": "skew.scores",
    "age of scheduler": "staleness.scheduler",
    "age of champion's data": "staleness.champion_data",
    "age of latest rating": "staleness.latest_rating",
    "sync with TMDB": "sync_failed",
}
EVIDENCE = {
    "serving inputs keep the rules of training data": "skew.inputs",
    "metadata is the same in training and serving": "skew.metadata",
    "served scores are those of the artefact": "skew.scores",
    "dependencies are looked at": "dependencies",
    "backtest: without one kind of features": "backtest.features",
    "backtest: made of older data": "backtest.staleness",
}
NUMBER = r"[+-]?[\d.]+(?:e[+-]?\d+)?"
# code ("" where the row has it), message ("" for the sentence of the code), the sentence before.
# `figure` and `threshold` are fields of a finding, `..._percent` hundredths of them, all others params.
SENTENCES = [
    ("", "drift.by_chance", rf"(?:PSI|D|hit rate) (?P<figure>{NUMBER}), .*; chance alone .* \(p = (?P<p>{NUMBER})\)"),
    ("", "drift.psi", rf"PSI (?P<figure>{NUMBER}), (?P<chance>{NUMBER}) by chance"),
    ("", "", rf"D (?P<figure>{NUMBER}), (?P<chance>{NUMBER}) by chance"),
    ("", "", rf"hit rate (?P<hit_rate>{NUMBER}), (?P<hit_rate_before>{NUMBER}) before"),
    ("", "drift.no_activity_before", r"the median week has inf% of the ratings of the median week before"),
    ("", "", r"the median week has (?P<figure_percent>\d+)% of the ratings of the median week before"),
    ("", "", r"equally many lists show (?P<figure_percent>\d+)% of the distinct movies of before"),
    ("", "", rf"mean diversity of a list is (?P<diversity>{NUMBER}), (?P<diversity_before>{NUMBER}) before"),
    ("", "drift.ratings_needed", r"each window needs (?P<needed>\d+) ratings"),
    ("", "drift.scored_ratings_needed", r"each window needs (?P<needed>\d+) scored ratings, and hits before"),
    ("", "drift.users_needed", r"each window needs (?P<needed>\d+) people with ratings"),
    ("", "drift.lists_needed", r"each window needs (?P<needed>\d+) personal lists shown"),
    ("", "drift.weeks_needed", r"the (?P<weeks>\d+) weeks before need (?P<needed>\d+) ratings, in each of them some"),
    (
        "retraining.no_champion",
        "",
        r"no model is served, and (?P<figure>\d+) ratings are there \((?P<threshold>\d+) are needed\)",
    ),
    (
        "retraining.new_movies",
        "",
        r"(?P<figure>\d+) movies were added since the champion's data \((?P<threshold>\d+)\)",
    ),
    ("retraining.new_ratings", "", r"(?P<figure>\d+) ratings came since the champion's data \((?P<threshold>\d+)\)"),
    (
        "retraining.online_metrics",
        "retraining.too_few_scored",
        r"live quality: (?P<n_before>\d+) and (?P<n_recent>\d+) scored ratings are too few "
        r"\((?P<needed>\d+) in each window\)",
    ),
    (
        "retraining.online_metrics",
        "",
        rf"the hit rate fell by (?P<figure_percent>-?\d+)% of itself \(p = (?P<p>{NUMBER}); "
        r"(?P<threshold_percent>\d+)%\)",
    ),
    (
        "retraining.drift",
        "",
        r"drift alerted in (?P<figure>\d+) windows in a row since the champion's data \((?P<threshold>\d+)\)",
    ),
    ("retraining.champion_age", "", rf"the champion is (?P<figure>{NUMBER}) days old \((?P<threshold>{NUMBER})\)"),
    (
        "retraining.not_interested",
        "",
        r"(?P<figure_percent>\d+)% of (?P<n>\d+) recommended movies that people acted on were not wanted "
        r"\((?P<threshold_percent>\d+)%\)",
    ),
    (
        "retraining.not_interested",
        "retraining.too_few_feedback",
        r"people acted on (?P<n>\d+) recommended movies, too few to say anything \((?P<needed>\d+)\)",
    ),
    (
        "canary.errors",
        "",
        rf"(?P<n_failed>\d+) of (?P<n>\d+) lists failed \((?P<figure_percent>{NUMBER})%\); surely more than "
        rf"(?P<threshold_percent>{NUMBER})% is too much\.",
    ),
    (
        "canary.latency",
        "canary.latency_unmeasured",
        rf"95 % of the lists took up to inf ms; at most (?P<threshold>{NUMBER}) ms is allowed \([^)]*\)\.",
    ),
    (
        "canary.latency",
        "canary.latency_regressed",
        rf"95 % of the lists took up to (?P<figure>{NUMBER}) ms; at most (?P<threshold>{NUMBER}) ms is allowed "
        rf"\(the champion before had (?P<previous_ms>{NUMBER}) ms\)\.",
    ),
    (
        "canary.latency",
        "",
        rf"95 % of the lists took up to (?P<figure>{NUMBER}) ms; at most (?P<threshold>{NUMBER}) ms is allowed "
        r"\(whatever it was before\)\.",
    ),
    (
        "canary.online_metrics",
        "",
        rf"Live nDCG@10 is (?P<ndcg>{NUMBER}), (?P<figure>{NUMBER}) \[(?P<low>{NUMBER}), (?P<high>{NUMBER})\] against "
        rf"the champion before; clearly below (?P<threshold>-?\d+(?:\.\d+)?) is too low\.",
    ),
    ("auto_rollback.done", "", r"Version (?P<champion>\d+) is the champion again\."),
    ("auto_rollback.switched_off", "", r"It stays the champion: watch\.automatic_rollback is off"),
    ("auto_rollback.refused", "", r"It stays the champion: (?P<error>.*)"),
    ("training_failed", "", r"run (?P<run>\d+) ended with an error: (?P<error>.*)"),
    (
        "skew.inputs",
        "skew.broken_rules",
        r"(?P<n_rows>\d+) rows of (?P<n_users>\d+) people, (?P<n_bad>\d+) break a rule ?(?P<rules>.*)",
    ),
    (
        "skew.metadata",
        "skew.metadata_differs",
        r"(?P<n>\d+) unchanged movies compared in (?P<n_fields>\d+) fields, (?P<n_differ>\d+) differ: "
        r"\[(?P<movies>[\d, ]*)\]",
    ),
    ("skew.scores", "", rf"(?P<n>\d+) lists, largest difference of a score (?P<figure>{NUMBER}|inf)"),
    ("skew.scores", "skew.no_history", r"nobody has rated a movie that the champion knows"),
]
AGE = re.compile(
    r"nothing was heard of it for (?P<age>\d+ \w+), more than (?P<limit>\d+ \w+) \((?P<at>[\d: -]+) UTC\)"
)
UNITS = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s"}
VERSION = re.compile(r"Version (?P<version>\d+) passes the bounds of its watch\. ")
LIBRARIES = re.compile(
    r"(?:version (?P<version>\d+) learnt with others|others are installed than requirements\.txt pins): "
    r"(?P<changes>.*?)(?: and (?P<more>\d+) more)?$"
)
CONFIGURATION = re.compile(r"its configuration changed: (?P<keys>.*)")
RESULTS = [
    ("retraining.not_met", r"No criterion is met\."),
    ("retraining.paused", r"Run (?P<run>\d+) was started for such reasons less than (?P<pause_hours>\S+) h ago\."),
    ("retraining.active", r"Training run \d+ is .*; only one runs at a time\."),
    ("retraining.started", r"Training run (?P<run>\d+) was started\."),
]


def finding(code: str, outcome: str, params: Row, message: str = "", **fields: Any) -> Row:
    empty = {"code": code, "outcome": outcome, "figure": None, "threshold": None, "interval": None}
    return empty | {"params": params, "message": message} | fields


def legacy(code: str, outcome: str, text: str, **params: Any) -> Row:
    return finding(code, outcome, {"text": text, **params}, LEGACY)


def number(text: str) -> float | int | str | None:
    """A param as a number where it is one; None for an infinite figure."""
    if text == "inf":
        return None
    if re.fullmatch(r"\d+", text):
        return int(text)
    return float(text) if re.fullmatch(NUMBER, text) else text


def read(match: re.Match[str], code: str, message: str, outcome: str) -> Row:
    values = {name: number(value) for name, value in match.groupdict().items() if value is not None}
    fields: Row = {}
    for name in ("figure", "threshold"):
        if f"{name}_percent" in values:
            fields[name] = round(float(values.pop(f"{name}_percent")) / 100, 4)
        elif name in values:
            fields[name] = values.pop(name)
    if "low" in values:
        fields["interval"] = [values.pop("low"), values.pop("high")]
    if "movies" in values:
        values["movies"] = [int(movie) for movie in str(values["movies"]).split(", ") if movie]
    return finding(code, outcome, values, message, **fields)


def parse(text: str, code: str = "") -> Row | None:
    """The finding of one sentence; of another check's sentence where `code` does not fit."""
    for own, message, pattern in SENTENCES:
        if match := re.fullmatch(pattern, text):
            return read(match, code or own, message, "alert")
    return None


def parse_all(text: str) -> list[Row] | None:
    """The findings of sentences joined by spaces or semicolons; None where one is not recognised."""
    found, at = [], 0
    while at < len(text):
        for code, message, pattern in SENTENCES:
            if code and (match := re.compile(pattern).match(text, at)):
                found.append(read(match, code, message, "alert"))
                at = match.end()
                at += len(text[at:]) - len(text[at:].lstrip("; "))
                break
        else:
            return None
    return found


def convert(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name, change in (
        ("Alert", change_alert),
        ("DriftReport", change_drift_report),
        ("RetrainingCheck", change_retraining_check),
        ("Backtest", change_backtest),
        ("Promotion", change_promotion),
    ):
        for row in apps.get_model("mlops", name).objects.order_by("pk").iterator(chunk_size=200):
            change(row)
            row.save()
    for before, after in EVIDENCE.items():
        apps.get_model("mlops", "Evidence").objects.filter(check_name=before).update(check_name=after)


def change_alert(alert: Any) -> None:
    subject, message = alert.subject, alert.message
    code = ALERTS.get(subject)
    alert.subject = ""
    if code is None:  # no check closes it any more
        alert.code, alert.findings = LEGACY, [finding(LEGACY, "alert", {"name": subject, "text": message})]
        alert.closed_at = alert.closed_at or timezone.now()
        return
    alert.code, alert.findings = code, list(findings_of(code, message))
    if code == "sync_failed":
        alert.subject = "tmdb"


def findings_of(code: str, text: str) -> Iterator[Row]:
    if code == "sync_failed":
        yield finding(code, "alert", {"provider": "TMDB", "error": text})
    elif code == "drift":
        names = "|".join(map(re.escape, DRIFT))
        for part in re.split(rf"; (?=(?:{names}): )", text):
            name, _, sentence = part.partition(": ")
            check = DRIFT.get(name, code)
            yield parse(sentence, check) or legacy(check, "alert", sentence or part)
    elif code == "auto_rollback":
        match = VERSION.match(text)
        found = parse_all(text[match.end() :]) if match else None
        for row in found or [legacy(code, "alert", text)]:
            if match and found and row["code"].startswith("auto_rollback."):
                row["params"] = {"version": int(match["version"])} | row["params"]
            yield row
    elif code.startswith("staleness.") and (match := AGE.fullmatch(text)):
        age, limit = (re.sub(r"[a-z]+", lambda unit: UNITS[unit[0]], match[name]) for name in ("age", "limit"))
        yield finding(code, "alert", {"age": age, "limit": limit, "at": match["at"]})
    elif code.startswith("dependency."):
        yield dependency(code, text)
    else:
        yield from parse_all(text) or [legacy(code, "alert", text)]


def dependency(code: str, text: str) -> Row:
    if code == "dependency.tmdb":
        if match := CONFIGURATION.fullmatch(text):
            return finding(code, "alert", {"keys": match["keys"].split(", ")}, "dependency.tmdb_configuration")
        return finding(code, "alert", {"error": text})
    match = LIBRARIES.fullmatch(text)
    if match is None:
        return legacy(code, "alert", text)
    changes = match["changes"].replace(" is gone", " -> none").split(", ")
    params = {"n": len(changes) + int(match["more"] or 0), "changes": changes}
    return finding(code, "alert", params | ({"version": int(match["version"])} if match["version"] else {}))


def change_drift_report(report: Any) -> None:
    report.checks = [drift_check(row) for row in report.checks]


def drift_check(row: Row) -> Row:
    code = DRIFT.get(row["name"])
    kept = {name: row[name] for name in ("measure", "n_recent", "n_before", "warn", "chance", "p", "bars") if name in row}
    fields = {"outcome": row["status"], "figure": row.get("figure"), "threshold": row.get("alert")}
    if code is None:
        return finding(LEGACY, row["status"], kept | {"name": row["name"], "text": row["sentence"]}) | fields
    found = parse(row["sentence"], code) or legacy(code, row["status"], row["sentence"])
    return found | {"params": found["params"] | kept} | fields


def change_retraining_check(check: Any) -> None:
    check.criteria = [criterion(row) for row in check.criteria]
    for result, pattern in RESULTS:
        if match := re.fullmatch(pattern, check.outcome):
            params = {name: number(value) for name, value in match.groupdict().items()}
            check.result, check.params = result, params
            return
    check.result, check.params = LEGACY, {"text": check.outcome}


def criterion(row: Row) -> Row:
    outcome = "insufficient_data" if row["figure"] is None else "alert" if row["is_met"] else "ok"
    fields = {"outcome": outcome, "figure": row["figure"], "threshold": row["threshold"]}
    code = RETRAINING.get(row["name"])
    if code is None:
        return finding(LEGACY, outcome, {"name": row["name"], "text": row["sentence"]}) | fields
    return (parse(row["sentence"], code) or legacy(code, outcome, row["sentence"])) | fields


def change_backtest(backtest: Any) -> None:
    if backtest.kind == "features":
        backtest.figures = {f"feature.{name}": ablation(found) for name, found in backtest.figures.items()}


def ablation(found: Any) -> Any:
    if not isinstance(found, dict) or "outcome" not in found:
        return found
    lists = {"lists": "lists.all", "lists of new movies": "lists.new_movies"}
    worth = {lists.get(name, name): interval for name, interval in found.get("worth", {}).items()}
    return {"outcome": f"ablation.{found['outcome']}", "worth": worth}


def change_promotion(promotion: Any) -> None:
    if promotion.kind == "auto_rollback":
        text, promotion.reason = promotion.reason, ""
        promotion.findings = parse_all(text) or [legacy("auto_rollback", "alert", text)]
    elif promotion.kind == "automatic":  # the row itself says as much
        promotion.reason = ""


class Migration(migrations.Migration):
    dependencies = [("mlops", "0012_training_jobs")]

    operations = [
        migrations.RemoveConstraint(model_name="alert", name="mlops_alert_one_open_a_subject"),
        migrations.AddField("alert", "code", models.CharField(default=LEGACY, max_length=60), preserve_default=False),
        migrations.AddField("alert", "findings", models.JSONField(default=list)),
        migrations.AddField(
            "retrainingcheck", "result", models.CharField(default=LEGACY, max_length=40), preserve_default=False
        ),
        migrations.AddField(
            "retrainingcheck",
            "params",
            models.JSONField(blank=True, default=dict, help_text="Values for the result's sentence."),
        ),
        migrations.AddField(
            "promotion",
            "findings",
            models.JSONField(blank=True, default=list, help_text="Why the site rolled back by itself."),
        ),
        migrations.RunPython(convert, migrations.RunPython.noop, elidable=True),
    ]
