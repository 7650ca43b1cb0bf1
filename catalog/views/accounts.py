"""The account page, and pages to change the password, profile, feeds and services, and to delete the account."""

from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from catalog.accounts import counts_of, delete_account
from catalog.errors import InvalidProfile, InvalidServices
from catalog.forms import DeleteAccountForm, ProfileForm
from catalog.imports.formats import EXPORTED
from catalog.keys import create_feeds_key, feeds_keys, revoke_keys
from catalog.models import Profile, User
from catalog.profiles import save_profile
from catalog.site_settings import region
from catalog.taste import summary
from catalog.throttling import KeyThrottle, SignInThrottle, limited
from catalog.views import following
from catalog.views.pages import ALL_METHODS, SignedInRequest, post_only, with_passwords
from catalog.where_to_watch import CREDIT, save_services, streaming_services

ELLIPSIS = "\u2026"  # shown instead of the secret


@method_decorator(with_passwords(*ALL_METHODS), name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class ChangePasswordView(PasswordChangeView):
    """Changes the password. Mentions that API keys are revoked too."""

    template_name = "account/password_change.html"
    success_url = reverse_lazy("catalog:account")

    def get_form_class(self) -> type:
        """Returns the form. Users without a password must reauthenticate another way before they set one."""
        if self.request.user.has_usable_password():  # type: ignore[union-attr]  # signed in
            return PasswordChangeForm
        raise_if_reauthentication_required(self.request, app="allauth.account")
        return SetPasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        revoked = revoke_keys(self.request.user)  # type: ignore[arg-type]
        said = (
            _("Your password has been changed and your API keys have been revoked.")
            if revoked
            else _("Your password has been changed.")
        )
        messages.success(self.request, said)
        return super().form_valid(form)


@require_safe
@login_required
def account(request: SignedInRequest) -> HttpResponse:
    user = request.user
    context = {
        **following.summary(user),
        **counts_of(user),
        "figures": summary(user),
        "profile": Profile.objects.filter(user=user).first(),
        "region": region(),
        "export_formats": [(format.code, format.label) for format in EXPORTED.values()],
    }
    return render(request, "catalog/account.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(SignInThrottle)
def delete(request: SignedInRequest) -> HttpResponse:
    user = request.user
    asks_password = settings.PASSWORD_SIGN_IN and user.has_usable_password()
    if not asks_password:
        raise_if_reauthentication_required(request, app="allauth.account")
    form = DeleteAccountForm(user, asks_password, request.POST if request.method == "POST" else None)
    if form.is_valid():
        delete_account(user=user)
        logout(request)
        messages.success(request, _("Your account and all its data have been deleted."))
        return redirect("recommender:home")
    context = {"form": form, "n_ratings": user.ratings.count()}
    return render(request, "catalog/account_delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_profile(request: SignedInRequest) -> HttpResponse:
    """Edits the public profile."""
    profile = Profile.objects.filter(user=request.user).first()
    form = ProfileForm(request.POST or None, initial=vars(profile) if profile else None)
    if form.is_valid():
        try:
            profile = save_profile(user=request.user, **form.cleaned_data)
        except InvalidProfile as error:
            form.add_error("name" if error.fields else None, str(error))
        else:
            messages.success(
                request, _("Your profile is now public.") if profile.is_public else _("Your profile is now private.")
            )
            return redirect("catalog:account")
    context = {"form": form, "profile": profile}
    return render(request, "catalog/profile_change.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(KeyThrottle)
def feeds(request: SignedInRequest) -> HttpResponse:
    """Shows the secret URLs of the account's feeds. A POST creates new ones, shown only in its response."""
    key = create_feeds_key(user=request.user).key if request.method == "POST" else ""
    row = feeds_keys(request.user).first()
    start, _key, _rest = request.build_absolute_uri(reverse("api:feed", args=["key"])).partition("key/")
    address = f"{start}{key or (row.prefix if row else '')}{'' if key else ELLIPSIS}/"
    return render(request, "catalog/feeds.html", {"key": row, "is_new": bool(key), "address": address})


@post_only
@login_required
def remove_feeds(request: SignedInRequest) -> HttpResponse:
    feeds_keys(request.user).delete()
    messages.success(request, _("Your feed addresses have been disabled."))
    return redirect("catalog:feeds")


class ServicesForm(forms.Form):
    services = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Your streaming services"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    only = forms.BooleanField(
        label=gettext_lazy("Show only movies they stream"),
        required=False,
        help_text=gettext_lazy('Applies to the list "For you" until you change the filter there.'),
    )

    def __init__(self, user: User, data: Any) -> None:
        super().__init__(data, initial={"services": user.service_ids, "only": user.only_my_services})
        services: Any = self.fields["services"]
        services.choices = [(service.pk, service.name) for service in streaming_services()]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def services(request: SignedInRequest) -> HttpResponse:
    """Selects the user's streaming services."""
    form = ServicesForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            save_services(user=request.user, **form.cleaned_data)
        except InvalidServices as error:
            form.add_error("services", str(error))
        else:
            messages.success(request, _("Your streaming services have been saved."))
            return redirect("catalog:services")
    context = {"form": form, "credit": CREDIT}
    return render(request, "catalog/services.html", context, status=422 if form.errors else 200)
