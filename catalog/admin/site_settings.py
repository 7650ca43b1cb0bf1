"""The site's settings, for superusers only. Secrets can be replaced but not read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog.models import SiteSettings
from catalog.setup_forms import SiteSettingsForm


@admin.register(SiteSettings)
class SiteSettingsAdmin(admin.ModelAdmin):
    form = SiteSettingsForm

    def get_fields(self, request: HttpRequest, obj: SiteSettings | None = None) -> Any:
        return list(SiteSettingsForm(instance=obj).fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteSettings | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SiteSettings | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    has_view_permission = has_change_permission

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        row, _made = SiteSettings.objects.get_or_create(pk=1)
        return redirect("admin:catalog_sitesettings_change", row.pk)

    def save_model(self, request: HttpRequest, row: SiteSettings, form: Any, change: bool) -> None:
        form.write_to(row)
        super().save_model(request, row, form, change)
