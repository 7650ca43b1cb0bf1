"""The URLs to which forms return. They are always pages of this site that can be read."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.http import url_has_allowed_host_and_scheme


def is_readable(address: str) -> bool:
    """Returns whether this URL responds to GET. Some URLs accept only forms."""
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
    """Returns the form's or the page's `next` URL if it is a page of this site, otherwise `default`."""
    target = request.POST.get("next") or request.GET.get("next", "")
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()) and is_readable(target):
        return target
    return resolve_url(default)


def return_address(request: HttpRequest) -> str:
    """Returns the URL to which this page's forms return: the page or, for a form's response, the form's page."""
    here = request.get_full_path()
    return here if request.method in ("GET", "HEAD") or is_readable(here) else safe_next(request, "recommender:home")
