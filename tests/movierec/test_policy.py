"""config.yaml overrides the defaults. Tests valid values, errors, and the documentation of every key.

After a change of a key, `python -m tests.movierec.test_policy` writes the table of docs/configuration.md.
"""

import json
import re
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import yaml
from celery import Celery

from catalog.policy import CatalogPolicy
from mlops.crontabs import parse_crontab
from movierec.policy import Policy, PolicyError, keys, load_policy
from recommender.policy import RecommenderPolicy
from tests.processes import ROOT

PAGE = ROOT / "docs" / "configuration.md"
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "at least {} items"}


@pytest.fixture
def load(tmp_path):
    def load(text: str) -> Policy:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return load_policy(file)

    return load


@pytest.mark.parametrize(
    ("app", "owners"), [("catalog", [CatalogPolicy]), ("recommender", [CatalogPolicy, RecommenderPolicy])]
)
def test_an_app_reads_no_key_that_an_app_above_it_declares(app, owners):
    declared = {name for owner in owners for name, _ in keys(owner)}
    declared |= {name for owner in owners for name in owner.model_fields}
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / app).rglob("*.py")]
    read = {name for text in texts for name in re.findall(r"settings\.POLICY\.(\w+(?:\.\w+)?)", text)}

    assert read
    assert read <= declared


def test_an_empty_file_gives_the_defaults(load):
    assert load("") == load("# nothing\n") == load("gate:\n  # nothing\n") == Policy()


def test_the_shipped_file_holds_the_defaults():
    assert load_policy(ROOT / "config.yaml") == Policy()


def test_the_shipped_file_is_short():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 90
    assert 40 <= sum(len(section) for section in yaml.safe_load(text).values()) <= 60


def test_a_file_of_three_keys_changes_just_these(load):
    policy = load("training: {retries: 3}\ngate: {min_users: 50}\nschedules: {prune: 60}\n")

    assert (policy.training.retries, policy.gate.min_users, policy.schedules.prune) == (3, 50, 60)
    changed = {
        "training": policy.training.model_copy(update={"retries": 1}),
        "gate": policy.gate.model_copy(update={"min_users": 300}),
        "schedules": policy.schedules.model_copy(update={"prune": "30 4 * * *"}),
    }
    assert policy.model_copy(update=changed) == Policy()


def test_search_ranges_of_one_algorithm_leave_the_others(load):
    spaces = load("tuning: {spaces: {ease: {regularization: {low: 1, high: 2}}}}").tuning.spaces

    assert spaces["ease"]["regularization"].high == 2
    assert spaces.keys() == Policy().tuning.spaces.keys()


def test_a_file_of_an_older_version_still_means_the_same(caplog):
    policy = load_policy(ROOT / "tests" / "movierec" / "config_of_ff2ac02.yaml")

    # The defaults that have changed since: the file's own values are kept.
    kept = {"training": {"stale_after_seconds": 40}, "imports": {"stale_after_seconds": 60}}
    kept |= {"limits": {"service": "6000/min"}}
    assert policy == Policy.model_validate(kept)
    assert "watch.automatic_rollback is now auto_rollback.enabled" in caplog.text
    assert "histories is now imports" in caplog.text


def test_values_under_older_names_are_used(load):
    policy = load("watch: {automatic_rollback: false, days: 3}\nhistories: {attempts: 9}\nlimits: {histories: 1/min}")

    assert (policy.auto_rollback.enabled, policy.auto_rollback.days) == (False, 3)
    assert (policy.imports.attempts, policy.limits.imports) == (9, "1/min")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gate: {min_user: 3}", "line 1: gate.min_user: there is no such key; the nearest is gate.min_users"),
        ("training: {min_users: 3}", "training.min_users: there is no such key; the nearest is training.min_ratings"),
        ("\ngates: {min_users: 3}", "line 2: gates: there is no such key; the nearest is gate"),
        ("schedules: {chek-drift: 5}", "schedules.chek-drift: there is no such key; the nearest is schedules.check-dr"),
        ("evaluation:\n  k: 1000", "line 2: evaluation.k: Input should be less than or equal to 100"),
        ("evaluation: {cuts: [0.9, 0.8]}", "evaluation.cuts: cuts must be ascending"),
        ("tmdb: {max_age_days: 150}", "tmdb: refresh_days must be below max_age_days"),
        ("limits: {user: 60/fortnight}", "limits.user: "),
        ("evaluation:\n  cuts: [half]", "line 2: evaluation.cuts.0: "),
        ("gate: 5", "gate: expected keys of this section, got 5"),
        ("staleness: 5\nfreshness: {beat_seconds: 90}", "staleness: expected keys"),
        ("- gate", "(top): "),
        ("gate: [", "not valid YAML"),
        ("freshness: {beat_seconds: 90}\nstaleness: {beat_seconds: 90}", "staleness.beat_seconds: given twice"),
    ],
)
def test_a_wrong_file_is_refused_naming_the_key(load, text, said):
    with pytest.raises(PolicyError, match=re.escape(said)):
        load(text)


@pytest.mark.parametrize(
    "when",
    [
        '"0 0 * * 7"',
        '"61 * * * *"',
        '"0 0 31 2 *"',
        '"0 0 31 4,6 *"',
        '"* * * *"',
        '{crontab: "0 24 * * *"}',
        '{every_seconds: 15, crontab: "* * * * *"}',
        "{}",
        "0",
        "true",
        "[60]",
        "2147483648",
    ],
)
def test_a_schedule_that_celery_cannot_build_is_refused(load, when):
    with pytest.raises(PolicyError, match=r"line 1: schedules\.prune: "):
        load(f"schedules: {{prune: {when}}}")


@pytest.mark.parametrize("when", ["0 0 29 2 *", "0 0 29 2 1", "5-59/15 * * * sun", "0 7 1,15 jan *"])
def test_an_accepted_crontab_has_a_next_run(load, when):
    load(f'schedules: {{prune: "{when}"}}')
    schedule = parse_crontab(when)
    schedule.app = Celery(set_as_current=False)

    assert schedule.remaining_estimate(datetime(2026, 1, 31, tzinfo=UTC)).days < 366 * 40


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(PolicyError, match="not found"):
        load_policy(tmp_path / "config.yaml")


def test_every_key_is_documented_with_its_default():
    page = PAGE.read_text(encoding="utf-8")

    assert table() in page, "run: python -m tests.movierec.test_policy"


def table() -> str:
    rows = ["| key | default | values | meaning |", "|---|---|---|---|"]
    for key, field in keys():
        default = json.dumps(field.get_default(call_default_factory=True))
        default = "see `mlops/search_spaces.yaml`" if key == "tuning.spaces" else f"`{default}`"
        rows.append(f"| `{key}` | {default} | {_values(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _values(field) -> str:
    kinds = get_args(field.annotation) if isinstance(field.annotation, types.UnionType) else (field.annotation,)
    parts = [kind for kind in kinds if kind is not type(None)]
    metadata = [*field.metadata, *(constraint for part in parts for constraint in getattr(part, "__metadata__", ()))]
    limits = [limit for one in metadata for limit in (*getattr(one, "metadata", ()), one)]
    return ", ".join(
        text.format(f"{getattr(one, name):,}") for one in limits for name, text in BOUNDS.items() if hasattr(one, name)
    )


def main(page: Path = PAGE) -> None:
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"^\| key .*?\n(?!\|)", lambda _: table(), text, flags=re.DOTALL | re.MULTILINE), "utf-8")


if __name__ == "__main__":
    main()
