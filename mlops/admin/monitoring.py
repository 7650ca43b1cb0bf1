from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from catalog.plots import pair_bars
from mlops.admin.read_only import ReadOnlyAdmin
from mlops.dashboard.report import backtest_lines
from mlops.findings import Outcome, describe_all
from mlops.models import Alert, Backtest, Dependency, DriftReport, OnlineMetrics, RetrainingCheck, TestEvidence


@admin.register(DriftReport)
class DriftReportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "status", "found", "window_start", "window_end", "reference_start"]
    list_filter = ["status"]
    date_hierarchy = "created_at"
    detail_template = "admin/mlops/driftreport/detail.html"

    @admin.display(description=_("alerts and warnings"))
    def found(self, report: DriftReport) -> str:
        return ", ".join(check.title for check in report.findings if check.outcome in (Outcome.WARN, Outcome.ALERT))

    def detail_context(self, request: HttpRequest, row: DriftReport) -> dict[str, Any]:
        """Returns the checks, with a plot for each check that compares categories."""
        return {"checks": [(check, pair_bars(check.title, check.params.get("bars", []))) for check in row.findings]}


@admin.register(OnlineMetrics)
class OnlineMetricsAdmin(ReadOnlyAdmin):
    list_display = ["day", "version", "n", "n_shown", "hits", "hit_rate", "ndcg"]
    list_select_related = ["version"]
    date_hierarchy = "day"


@admin.register(RetrainingCheck)
class RetrainingCheckAdmin(ReadOnlyAdmin):
    list_display = ["checked_at", "sentence", "run", "why"]
    list_select_related = ["run"]
    date_hierarchy = "checked_at"

    @admin.display(description=_("criteria that were met"))
    def why(self, check: RetrainingCheck) -> str:
        return Truncator(describe_all(check.reasons)).chars(160)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["opened_at", "title", "message", "closed_at", "mailed_at", "posted_at"]
    list_filter = ["code"]


@admin.register(TestEvidence)
class TestEvidenceAdmin(ReadOnlyAdmin):
    list_display = ["test", "source", "title", "passed", "detail", "is_automatic", "ran_at", "passed_at"]
    list_filter = ["source", "passed", "is_automatic"]
    search_fields = ["test", "code"]


@admin.register(Backtest)
class BacktestAdmin(ReadOnlyAdmin):
    list_display = ["ended_at", "kind", "version", "passed", "summary"]
    list_filter = ["kind", "passed"]
    list_select_related = ["version"]
    date_hierarchy = "ended_at"
    detail_template = "admin/mlops/backtest/detail.html"

    def detail_context(self, request: HttpRequest, row: Backtest) -> dict[str, Any]:
        return {"lines": backtest_lines(row.figures)}


@admin.register(Dependency)
class DependencyAdmin(ReadOnlyAdmin):
    list_display = ["name", "seen_at", "changed_at"]
