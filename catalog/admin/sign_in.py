"""The admin's sign-in, which uses the site's page and rate limits, and links that staff give to users."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import secure_admin_login
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.socialaccount import admin as of_allauth  # noqa: F401  # registers before it is taken back here
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin.large import LargeTableAdmin
from catalog.models import User
from catalog.sign_in.links import can_sign_in, path_for
from catalog.sign_in.settings import LINK_HOURS


def change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    return redirect("catalog:password-change")


# django-allauth's admins would accept providers and tokens, which this site does not store in its database.
for model in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[assignment, method-assign]


@admin.register(SocialAccount)
class IdentityAdmin(LargeTableAdmin):
    """Connected identities. Deleting one disconnects it and ends the account's sessions and API keys."""

    list_display = ["user", "provider", "uid", "date_joined", "last_login"]
    fields = ["user", "provider", "uid", "date_joined", "last_login"]
    list_select_related = ["user"]
    search_fields = ["=user__username", "=uid"]
    search_help_text = gettext_lazy("Exact username or sub")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        return super().has_change_permission(request, obj) or super().has_view_permission(request, obj)


class PasswordLinks:
    """An action for people who cannot sign in. It creates a single-use link for one user and shows it once.

    The user sets a new password with it, or signs in if password sign-in is disabled.
    """

    @admin.action(description=gettext_lazy("Create a password reset link"), permissions=["change"])
    def make_password_link(self, request: HttpRequest, users: Any) -> HttpResponse | None:
        user = users[0] if len(users) == 1 else None
        if problem := _problem(request, user):
            self.message_user(request, problem, messages.ERROR)  # type: ignore[attr-defined]
            return None
        assert user
        if settings.PASSWORD_SIGN_IN:
            key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
            link = get_adapter(request).get_reset_password_from_key_url(key)
            title, done = _("Password reset link"), _("Created a password reset link.")
        else:
            link = request.build_absolute_uri(path_for(user))
            title, done = _("Sign-in link"), _("Created a sign-in link.")
        self.log_change(request, user, done)  # type: ignore[attr-defined]
        context = admin.site.each_context(request) | {
            "title": title,
            "opts": User._meta,
            "chosen": user,
            "link": link,
            "hours": LINK_HOURS,
            "for_password": settings.PASSWORD_SIGN_IN,
        }
        response = TemplateResponse(request, "admin/catalog/user/password_link.html", context)
        add_never_cache_headers(response)
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]  # of the admin that this is mixed in
        if "make_password_link" in actions and not settings.PASSWORD_SIGN_IN:
            action, name, _description = actions["make_password_link"]
            actions[name] = action, name, _("Create a sign-in link")
        return actions


def _problem(request: HttpRequest, user: User | None) -> str:
    if user is None:
        return _("Select exactly one user.")
    if not can_sign_in(user):
        return _("%(user)s cannot sign in because the account is inactive or belongs to an imported data set.") % {
            "user": user
        }
    if (user.is_staff or user.is_superuser) and not getattr(request.user, "is_superuser", False):
        return _("Only superusers can create links for staff.")
    return ""
