"""Helpers of the pages: pagination, htmx fragments, and redirects after forms."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST
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


def post_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuses other methods, and lets `is_readable` know."""
    checked = require_POST(view)
    checked.is_post_only = True
    return checked


def is_readable(address: str) -> bool:
    """Whether a page answers at this address: forms are sent to some that take nothing else."""
    path, root = unquote(urlsplit(address).path), get_script_prefix()
    if not path.startswith(root):
        return False
    try:
        view = resolve(f"/{path.removeprefix(root)}").func
    except Resolver404:
        return False
    methods = getattr(getattr(view, "view_class", None), "http_method_names", ["get"])
    return "get" in methods and not getattr(view, "is_post_only", False)


def safe_next(request: HttpRequest, default: Any) -> str:
    """The return address in the form, or else in the page's own address, if it is a page of this site."""
    target = request.POST.get("next") or request.GET.get("next", "")
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()) and is_readable(target):
        return target
    return resolve_url(default)


def return_address(request: HttpRequest) -> str:
    """Where forms of this page lead back to: the page, or if it answers a form, the page of that form."""
    here = request.get_full_path()
    return here if request.method in ("GET", "HEAD") or is_readable(here) else safe_next(request, "recommender:home")


def to_sign_in(request: HtmxRequest, back: str) -> HttpResponse:
    """Redirects to the sign-in page, which returns to `back`."""
    address = f"{resolve_url('catalog:sign-in')}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def is_on_page_of(request: HtmxRequest, movie: Movie) -> bool:
    """Whether the movie's own page sent the fragment's request; its watchlist button may have to change, too."""
    return (request.htmx.current_url_abs_path or "").partition("?")[0] == movie.get_absolute_url()
