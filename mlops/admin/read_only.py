from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from catalog.admin import large
from mlops.errors import MLOpsError


class ReadOnlyAdmin(large.ReadOnlyAdmin):
    """With `detail_template`, a row has a page of its own, rendered with `detail_context`."""

    detail_template: str | None = None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.detail_template is None:
            return super().change_view(request, object_id, form_url, extra_context)
        row = self.get_object(request, object_id)
        if row is None:
            return super().change_view(request, object_id, form_url, extra_context)  # says that there is none
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return self.page(request, self.detail_template, row, **self.detail_context(request, row))

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {}

    def page(self, request: HttpRequest, template: str, row: Model | None, **context: Any) -> TemplateResponse:
        title = f"{self.opts.verbose_name} {row.pk if row else ''}".capitalize()
        base = self.admin_site.each_context(request) | {"opts": self.opts, "row": row, "title": title}
        return TemplateResponse(request, template, base | context)

    def address(self, row: Model | int | None = None) -> str:
        """Of the row's page, or of the list."""
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{base}_changelist")
        return reverse(f"{base}_change", args=[row if isinstance(row, int) else row.pk])

    def refused(self, request: HttpRequest, error: MLOpsError, row: Model | int | None = None) -> HttpResponseRedirect:
        messages.error(request, str(error))
        return redirect(self.address(row))


def require_permission(request: HttpRequest, name: str) -> None:
    if not request.user.has_perm(name):
        raise PermissionDenied
