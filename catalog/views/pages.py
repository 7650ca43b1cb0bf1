"""Helpers for pages: pagination, htmx fragments, and redirects after forms."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from catalog.errors import DomainError
from catalog.models import Movie, User

PAGE_SIZE = 36
ALL_METHODS = ("GET", "HEAD", "POST")
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class HtmxRequest(HttpRequest):
    """A request with the attribute of django-htmx."""

    htmx: HtmxDetails


class SignedInRequest(HtmxRequest):
    """A request to a view with `login_required`."""

    user: User


class MissingRows:
    """Middleware that returns 404 if a row was deleted after the view had read it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, DomainError) and exception.status == 404:
            raise Http404(str(exception)) from exception


def sign_in_as_page(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HtmxRequest], HttpResponse]:
    """Middleware: if a fragment requires an account, the whole page goes to sign-in and then back.

    Otherwise htmx would follow the redirect of `login_required` and replace the fragment with the sign-in page.
    """

    def respond(request: HtmxRequest) -> HttpResponse:
        answer = get_response(request)
        if request.htmx and answer.status_code == 302 and _path(answer["Location"]) == reverse("catalog:sign-in"):
            return to_sign_in(request, request.htmx.current_url_abs_path or resolve_url("recommender:home"))
        return answer

    return respond


def _path(address: str) -> str:
    return address.partition("?")[0]


def paginated(
    request: HttpRequest,
    rows: QuerySet | Sequence[Any],
    *,
    page_size: int = PAGE_SIZE,
    paginator: type[Paginator] = Paginator,
) -> Page:
    """Returns the requested page; the first for an invalid number, the last for one that is too large."""
    number = request.GET.get("page", "")
    return paginator(rows, page_size).get_page(number if number.strip("0").isdecimal() else 1)


def is_htmx(request: HtmxRequest) -> bool:
    """Returns whether htmx requests a fragment. To restore history, it requests the full page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def post_only(view: View) -> View:
    """Rejects other methods, and marks the view for `return_addresses.is_readable`."""
    checked = require_POST(view)
    checked.is_post_only = True  # type: ignore[attr-defined]
    return checked


def loaded_when_used(module: str, name: str, *, is_post_only: bool = False) -> Callable[..., HttpResponseBase]:
    """Returns a view whose module is imported at its first request, because it uses memory and few people need it."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = import_string(f"{module}.{name}")(request, *args, **kwargs)
        return answer

    view.is_post_only = is_post_only  # type: ignore[attr-defined]
    return view


def with_passwords(*methods: str) -> Callable[[View], View]:
    """Rejects these methods if the site has password sign-in disabled."""

    def decorate(view: View) -> View:
        @wraps(view)
        def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if settings.PASSWORD_SIGN_IN or request.method not in methods:
                return view(request, *args, **kwargs)
            return render(request, "account/no_passwords.html", status=403)

        return cast(View, check)

    return decorate


def to_sign_in(request: HtmxRequest, back: str) -> HttpResponse:
    """Redirects to the sign-in page, which returns to `back`."""
    address = f"{resolve_url('catalog:sign-in')}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def is_on_page_of(request: HtmxRequest, movie: Movie) -> bool:
    """Returns whether the request came from the movie's own page, whose watchlist button may have to change too."""
    return _path(request.htmx.current_url_abs_path or "") == movie.get_absolute_url()
