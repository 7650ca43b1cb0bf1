"""The setup page of a new site, for people with the link from the site's log."""

from typing import cast

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog import setup
from catalog.errors import InvalidSignUp
from catalog.forms import SignUpForm
from catalog.models import Movie, Rating, User
from catalog.sample.job import request_sample
from catalog.setup_forms import SetupForm
from catalog.throttling import SetupThrottle, limited, refusal


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited(SetupThrottle)
def set_up(request: HttpRequest) -> HttpResponseBase:
    """Creates the first staff account and configures the site. Requires the link from the log."""
    if not setup.is_open():
        raise Http404
    code = request.GET.get("code", "")[:100]
    if not setup.is_code(code):
        refused = refusal(request, SetupThrottle) if code else None
        return refused or render(request, "setup/no_code.html", {"is_wrong": bool(code)}, status=403 if code else 200)
    if not (request.user.is_authenticated or settings.PASSWORD_SIGN_IN):
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    account = None if request.user.is_authenticated else SignUpForm(request.POST or None)
    is_account = account is None or account.is_valid()
    test_to = account.cleaned_data["email"] if account and is_account else getattr(request.user, "email", "")
    n_movies, n_ratings = Movie.objects.count(), Rating.objects.count()
    form = SetupForm(request.POST or None, has_movies=bool(n_movies), test_to=test_to if is_account else "")
    if form.is_valid() and is_account and (user := _first_staff(request, code, account, form)):
        return _begin(user, form.cleaned_data.get("start_with", ""))
    context = {"form": form, "account": account, "n_movies": n_movies, "n_ratings": n_ratings}
    return render(request, "setup/setup.html", context)


def _first_staff(request: HttpRequest, code: str, account: SignUpForm | None, form: SetupForm) -> User | None:
    """Makes the signed-in account the first staff account, or creates one and signs it in."""
    if account is None:
        present = cast(User, request.user)
        setup.make_first_staff(code=code, user=present, change=form.write_to)
        return present
    try:
        user = setup.create_first_account(code=code, **account.account(), change=form.write_to)
    except InvalidSignUp as error:  # a visitor took the name after the form was validated
        account.add_errors(error.fields)
        return None
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return user


def _begin(user: User, start_with: str) -> HttpResponse:
    if start_with == "sample":
        request_sample(user=user)
    return redirect("catalog:import" if start_with == "own" else "mlops:start")
