"""The page of the first run, for who has the link that the site's log shows."""

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
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
    """The first run: who has the link of the log makes the first staff account and says how the site is to be."""
    if not setup.is_open():
        raise Http404
    code = request.GET.get("code", "")[:100]
    if not setup.is_code(code):
        refused = refusal(request, SetupThrottle) if code else None
        return refused or render(request, "setup/no_code.html", {"is_wrong": bool(code)}, status=403 if code else 200)
    account = SignUpForm(request.POST or None)
    n_movies, n_ratings = Movie.objects.count(), Rating.objects.count()
    is_account = account.is_valid()
    test_to = account.cleaned_data["email"] if is_account else ""
    form = SetupForm(request.POST or None, has_movies=bool(n_movies), test_to=test_to)
    if form.is_valid() and is_account and (user := _first_account(code, account, form)):
        return _begin(request, user, form.cleaned_data.get("start_with", ""))
    context = {"form": form, "account": account, "n_movies": n_movies, "n_ratings": n_ratings}
    return render(request, "setup/setup.html", context)


def _first_account(code: str, account: SignUpForm, form: SetupForm) -> User | None:
    try:
        return setup.create_first_account(code=code, **account.account(), change=form.write_to)
    except InvalidSignUp as error:  # a visitor took the name since the form looked
        account.add_errors(error.fields)
    return None


def _begin(request: HttpRequest, user: User, start_with: str) -> HttpResponse:
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if start_with == "sample":
        request_sample(user=user)
    return redirect("catalog:import" if start_with == "own" else "mlops:start")
