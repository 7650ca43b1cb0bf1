from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from catalog.admin import large
from mlops.errors import MLOpsError


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=_("The reason is stored in the audit trail."),
    )


class ReadOnlyAdmin(large.ReadOnlyAdmin):
    """Base class of read-only admin pages. Set `detail_template` to show a custom page for each row."""

    detail_template: str | None = None
    shows_errors_on_row = False  # whether errors are shown on the row's page instead of the list

    def url(self, route: str, view: Callable[..., HttpResponse]) -> URLPattern:
        """Returns an additional URL, named after the view. Errors raised by services are shown as messages."""

        @wraps(view)
        def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, **kwargs)
            except MLOpsError as error:
                return self.refused(request, error, kwargs.get("pk") if self.shows_errors_on_row else None)

        name = f"{self.opts.app_label}_{self.opts.model_name}_{view.__name__}"
        return path(route, self.admin_site.admin_view(shown), name=name)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if self.detail_template else None
        if self.detail_template is None or row is None:  # Django's view reports a missing row
            return super().change_view(request, object_id, form_url, extra_context)
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
        """Returns the URL of the row's page, or of the list if no row is given."""
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{base}_changelist")
        return reverse(f"{base}_change", args=[row if isinstance(row, int) else row.pk])

    def confirm(
        self, request: HttpRequest, template: str, row: Model, act: Callable[[str], str], **context: Any
    ) -> HttpResponse:
        """Asks for confirmation and a reason, calls `act` with the reason and shows the returned message."""
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            messages.success(request, act(form.cleaned_data["reason"]))
            return redirect(self.address(row))
        return self.page(request, template, row, form=form, **context)

    def refused(self, request: HttpRequest, error: MLOpsError, row: int | None = None) -> HttpResponse:
        messages.error(request, str(error))
        return redirect(self.address(row))


def require_permission(request: HttpRequest, name: str) -> None:
    if not request.user.has_perm(name):
        raise PermissionDenied
