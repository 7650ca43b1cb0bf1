import json
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.models import User
from mlops.admin.read_only import ReadOnlyAdmin, ReasonForm, require_permission
from mlops.data.erasure import withdraw_snapshot
from mlops.data.quarantine import release
from mlops.errors import MLOpsError
from mlops.findings import title
from mlops.models import DatasetSnapshot, QuarantinedRow

WITHDRAW = "mlops.withdraw_datasetsnapshot"
RELEASE = "mlops.release_quarantinedrow"
SHOWN_ROWS = 20


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "n_ratings", "n_users", "n_movies", "last_rated_at", "exported_at", "checks", "is_kept"]
    list_filter = ["checks", ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["parent"]
    search_fields = ["content_hash"]
    detail_template = "admin/mlops/datasetsnapshot/detail.html"
    shows_errors_on_row = True

    @admin.display(description=gettext_lazy("files available"), boolean=True)
    def is_kept(self, snapshot: DatasetSnapshot) -> bool:
        return not snapshot.unavailable_reason

    def get_urls(self) -> list[URLPattern]:
        return [self.url("<id:pk>/withdraw/", self.withdraw), *super().get_urls()]

    def detail_context(self, request: HttpRequest, row: DatasetSnapshot) -> dict[str, Any]:
        quarantined = row.quarantined.all()
        return {
            "report": {
                title(name): value for name, value in row.check_report.items() if not isinstance(value, dict | list)
            },
            "null_shares": row.check_report.get("null_shares", {}),
            "quarantined": quarantined[:SHOWN_ROWS],
            "n_quarantined": quarantined.count(),
            "versions": row.versions.all(),
            "may_withdraw": row.withdrawn_at is None and request.user.has_perm(WITHDRAW),
        }

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, WITHDRAW)
        row = get_object_or_404(DatasetSnapshot, pk=pk)

        def act(reason: str) -> str:
            withdraw_snapshot(snapshot=pk, by=cast(User, request.user), reason=reason)
            return _("Snapshot {snapshot} has been withdrawn and its files have been removed.").format(snapshot=row)

        versions = ", ".join(_("version {version}").format(version=version) for version in row.versions.all())
        context = {"versions": versions, "title": _("Withdraw snapshot {snapshot}").format(snapshot=row)}
        return self.confirm(request, "admin/mlops/datasetsnapshot/withdraw.html", row, act, **context)


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "why", "shown_content", "snapshot", "found_at", "released_at", "released_by"]
    list_filter = ["kind", ("released_at", admin.EmptyFieldListFilter)]
    list_select_related = ["snapshot", "released_by"]
    search_fields = ["=movie_id", "fingerprint"]
    actions = ["release_selected"]

    @admin.display(description=gettext_lazy("content"))
    def shown_content(self, row: QuarantinedRow) -> str:
        return json.dumps(row.content, ensure_ascii=False)[:200]

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RELEASE)

    @admin.action(description=gettext_lazy("Release selected rows for training"), permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedRow]) -> HttpResponse | None:
        """Asks for a reason, then releases the selected rows."""
        rows = list(queryset.filter(released_at=None))
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            context = {"form": form, "rows": rows, "title": _("Release rows from quarantine")}
            return self.page(request, "admin/mlops/quarantinedrow/release.html", None, **context)
        try:
            n_released = release(
                rows=[row.pk for row in rows], by=cast(User, request.user), reason=form.cleaned_data["reason"]
            )
        except MLOpsError as error:
            return self.refused(request, error)
        text = ngettext(
            "{n} row has been released and will be used in the next training.",
            "{n} rows have been released and will be used in the next training.",
            n_released,
        )
        messages.success(request, text.format(n=n_released))
        return None
