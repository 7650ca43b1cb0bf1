"""The rubric of the ML Test Score, with codes of checks that provide evidence and reasons for missing points."""

import tomllib
from pathlib import Path

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.findings import register

RUBRIC = tomllib.loads(Path(__file__).with_name("rubric.toml").read_text(encoding="utf-8"))


class EvidenceCode(TextChoices):
    GATE_DECISION = "evidence.gate_decision", _("gate decision about the champion")
    CHECKED_IN = "evidence.checked_in", _("code and parameters are checked in")
    TUNED = "evidence.tuned", _("hyper-parameters compared with the latest search")
    DATA_CHECKS = "evidence.data_checks", _("data checks of the latest training")
    BACKTEST = "evidence.backtest", _("backtest: {subject}")
    COSTS = "evidence.costs", _("cost of the champion compared with earlier versions")
    STALENESS = "evidence.staleness", _("staleness")
    ONLINE_METRICS = "evidence.online_metrics", _("online metrics")
    CORRELATION = "evidence.correlation", _("offline and online nDCG")
    TESTS = "evidence.tests", _("tests, {subject}")


class Cost(TextChoices):
    FIT_SECONDS = "cost.fit_seconds", _("fit, s")
    LIST_MS = "cost.list_ms", _("list, ms")
    MEMORY_MB = "cost.memory_mb", _("memory, MB")
    SIZE_MB = "cost.size_mb", _("size, MB")


class Message(TextChoices):
    """Codes of sentences about the checks, with the sentences as labels."""

    NO_SEARCH = "evidence.no_search", _("No search was run in the last {days} days.")
    BETTER_FOUND = "evidence.better_found", _("Search {search} found better parameters than those of the champion.")
    GROWN = "evidence.grown", _("Version {version} costs more than the {n} versions before it.")
    NO_CHAMPION = "evidence.no_champion", _("There is no champion.")
    TOO_OLD = "evidence.too_old", _("Too old: {checks}.")
    TESTS_FAILED = "evidence.tests_failed", _("Failed: {tests}.")


class Missing(TextChoices):
    """Reasons why a test does not earn a full point, with the sentences as labels."""

    NO_CHECK = "missing.no_check", _("no check by the {source}")
    STALE = "missing.stale", _("the latest check by the {source} is older than {days} days")
    FAILED = "missing.failed", _("{check}: {detail}")
    BY_HAND = "missing.by_hand", _("the check by the {source} was run manually")


SENTENCES = {
    EvidenceCode.GATE_DECISION: _("Version {version}: {n_failed} of {n_rules} rules failed."),
    EvidenceCode.CHECKED_IN: _("Version {version} was trained with revision {revision} and parameters {parameters}."),
    EvidenceCode.TUNED: _("Search {search} found no better parameters."),
    EvidenceCode.DATA_CHECKS: _("Run {run}: {n_rows} rows, {n_bad} bad."),
    EvidenceCode.BACKTEST: _("Version {version}, backtest {backtest}."),
    EvidenceCode.COSTS: _("Version {version} costs as much as the {n} versions before it."),
    EvidenceCode.STALENESS: _("The champion, its data and the scheduler are up to date."),
    EvidenceCode.ONLINE_METRICS: _("{n} new positive ratings were scored in four weeks."),
    EvidenceCode.CORRELATION: _("Spearman's rank correlation is {figure:.2f} over {n} versions."),
    EvidenceCode.TESTS: "{tests}",
    **dict.fromkeys(Cost, _("{title}: {figure:.4g}; {threshold:.4g} before.")),
    **{message: message.label for message in (*Message, *Missing)},
}
register([*EvidenceCode, *Cost], SENTENCES)
