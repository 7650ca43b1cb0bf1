"""Invitations. The link is shown once, after creation. Deleting an invitation revokes it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.invitations import invite
from catalog.models import Invitation
from catalog.models.invitation import DAYS


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ["__str__", "state", "created_by", "created_at", "expires_at", "used_by"]
    list_select_related = ["created_by", "used_by"]
    fields = ["note"]

    @admin.display(description=gettext_lazy("state"))
    def state(self, invitation: Invitation) -> str:
        if invitation.used_at:
            return _("used")
        return _("unused") if invitation.expires_at > timezone.now() else _("expired")

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return super().has_change_permission(request, obj) or super().has_view_permission(request, obj)

    def save_model(self, request: HttpRequest, invitation: Invitation, form: Any, change: bool) -> None:
        made, code = invite(by=request.user, note=invitation.note)  # type: ignore[arg-type] # signed in
        invitation.__dict__.update(made.__dict__)
        request.invitation_code = code  # type: ignore[attr-defined] # for the answer to this request alone

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        query = urlencode({"invitation": request.invitation_code})  # type: ignore[attr-defined]
        context = admin.site.each_context(request) | {
            "title": _("An invitation"),
            "opts": Invitation._meta,
            "invitation": obj,
            "link": request.build_absolute_uri(f"{reverse('catalog:sign-up')}?{query}"),
            "days": DAYS,
        }
        response = TemplateResponse(request, "admin/catalog/invitation/link.html", context)
        add_never_cache_headers(response)
        return response
