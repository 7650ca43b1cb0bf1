"""Helpers of the pages: pagination, htmx fragments, and redirects after forms."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from catalog.errors import DomainError
from catalog.models import Movie, User

PAGE_SIZE = 36


class HtmxRequest(HttpRequest):
    """A request with django-htmx's attribute."""

    htmx: HtmxDetails


class SignedInRequest(HtmxRequest):
    """A request behind `login_required`."""

    user: User


class MissingRows:
    """Middleware: a row that was deleted after the page had read it is answered like one that never was."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, DomainError) and exception.status == 404:
            raise Http404(str(exception)) from exception


def paginated(
    request: HttpRequest,
    rows: QuerySet | Sequence[Any],
    *,
    page_size: int = PAGE_SIZE,
    paginator: type[Paginator] = Paginator,
) -> Page:
    """The requested page; invalid numbers give the first, too large ones the last."""
    return paginator(rows, page_size).get_page(request.GET.get("page"))


def is_htmx(request: HtmxRequest) -> bool:
    """True if htmx wants a fragment. When it restores history, it needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    """Keeps caches from mixing up the page and the fragment at one address."""
    patch_vary_headers(response, ["HX-Request"])
    return response


def safe_next(request: HttpRequest, default: Any) -> str:
    """The return address in the form, or else in the page's own address, if it is on this site."""
    target = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return target
    return resolve_url(default)


def to_sign_in(request: HtmxRequest, back: str) -> HttpResponse:
    """Redirects to the sign-in page, which returns to `back`."""
    address = f"{resolve_url('catalog:sign-in')}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def is_on_page_of(request: HtmxRequest, movie: Movie) -> bool:
    """Whether the movie's own page sent the fragment's request; its watchlist button may have to change, too."""
    return (request.htmx.current_url_abs_path or "").partition("?")[0] == movie.get_absolute_url()
